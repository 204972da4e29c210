"""Engine latency, beside llama.cpp on the same machine in the same run."""
