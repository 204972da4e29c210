"""The evaluation harness: benchmarks, sandbox, arena."""
