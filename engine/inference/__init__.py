"""Log-likelihoods and texts from a model: sequence by sequence, in packed prefix trees, on a KV cache of our own."""
