"""Networks, and how they see a sequence: knows nothing of loops, policies or text."""
