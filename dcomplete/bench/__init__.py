"""Engine latency, beside peers on the same machine in the same run."""
