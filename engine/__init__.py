"""Prunes a model's GLU layers and evaluates every width.

`engine.planning`, `engine.runs` and the modules directly in this package are the light front that the command line and
the dashboard import. The model stack (torch, transformers, lm-eval) is loaded only by the other rooms, in worker
processes.
"""
