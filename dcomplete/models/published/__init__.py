"""Other people's diffusion models, one family per file, loaded when a checkpoint asks for it.

A file says what a loader must know of its family: which Llama, Qwen2 or Qwen3 network it is, what its
tensors are called, its special ids, the shift, who sees whom, how a gap stands in its prompt, how it
finds the length, and how its authors sample. The network itself is `models.decoder`.
"""
