"""What `benchmarks/torture.py` does to a warehouse, a module for each kind of it."""
