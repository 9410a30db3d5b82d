"""Widths that matrix units and quantised blocks like: a multiple, reached with neurons whose weights are zero."""

from __future__ import annotations


def padded_width(intermediate_size: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that holds `intermediate_size` neurons.

    Raises:
        ValueError: one of the two is below 1.
    """
    if intermediate_size < 1 or multiple < 1:
        raise ValueError(f"{intermediate_size} neurons cannot be padded to a multiple of {multiple}")
    return -(-intermediate_size // multiple) * multiple
