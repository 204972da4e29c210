"""Votes between two answers: the words, and the store that editors and harness share."""
