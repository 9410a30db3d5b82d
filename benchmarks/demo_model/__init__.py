"""The demo model and its benchmarks: the toy world they are of, their texts, and the training."""
