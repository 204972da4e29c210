"""Tokens in, tokens out: the denoise loop and everything that is given to it."""
