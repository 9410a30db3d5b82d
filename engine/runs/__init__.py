"""Runs as folders: their lock, their start and stop, how far they are."""
