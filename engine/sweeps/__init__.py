"""Sweeps: runs that were started together, and what carries them out side by side."""
