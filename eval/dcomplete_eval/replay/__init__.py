"""Recorded typing, played to the real language server."""
