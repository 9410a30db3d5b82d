"""New run: what to measure, what it will amount to, and its start."""
