"""Pruning methods, one a file: a function of one layer that scores its neurons, and constants that say what it is.

The higher a score, the longer its neuron is kept. Definitions are those of OptiPFair 0.4.2, computed in float32
whatever the weights' dtype, so that the same neurons are kept. `engine.planning.methods` reads the constants without
running the file: they are literals, and torch is imported inside the function.
"""
