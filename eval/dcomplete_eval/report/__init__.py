"""Runs, replays and rankings as one page for people, with plots and a table to copy."""
