"""Compare: models or methods side by side, and what follows from it."""
