"""Runs: all of them, one of them, and one played back."""
