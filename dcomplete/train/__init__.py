"""The trainer: an autoregressive model becomes an infill diffusion model."""
