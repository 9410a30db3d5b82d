"""Width pruning of GLU layers: how important each neuron is, and models cut to any width."""
