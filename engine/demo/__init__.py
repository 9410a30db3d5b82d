"""The demo: a small model that learned a toy world, and benchmarks about it, both made by `benchmarks/demo_model`."""
