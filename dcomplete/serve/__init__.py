"""The engine process: one per user owns the weights; editors, shell and harness talk to it."""
