"""The pruning methods there are in this environment, ours and those of other packages."""

from __future__ import annotations

from engine.planning.methods import pruning_methods

METHODS = tuple(method.name for method in pruning_methods())
