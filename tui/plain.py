"""Values as JSON can write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warehouse.numbers import json_number


def plain(value: Any) -> Any:
    """The same in plain types: dates as ISO text, NaN and infinities by name, whatever else as its text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return json_number(value)
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
