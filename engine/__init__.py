"""Prunes a model's GLU layers and evaluates every width.

The modules directly in this package are the light front that the command line and the dashboard import:
they need only the standard library. The model stack (torch, transformers, lm-eval) is loaded only by
`engine.pruning`, `engine.worker` and `engine.demo.train`, which run in worker processes.
"""
