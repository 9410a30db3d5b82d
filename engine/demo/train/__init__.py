"""Trains the demo model on its toy world: `python -m engine.demo.train`."""
