"""The demo: a toy world, a small Llama-style model that learned it, and benchmarks about it."""
