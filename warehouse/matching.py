"""Which records are of the same thing, column by column, where some columns are not known.

Equal columns match, and an unknown one (None) matches anything. So being alike is not transitive: a record that leaves
columns open may fit several groups that differ from each other, and then joins none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Columns = tuple[Any, ...]


@dataclass(slots=True)
class Group:
    """Records that are taken to be alike. `columns` has what any of them knows, `first` the position of the earliest.

    `fits` is 0, or for records that could have joined several groups the number of these, and `undecided` has the
    positions of the unknown columns in which these differ.
    """

    columns: Columns
    first: int
    fits: int = 0
    undecided: tuple[int, ...] = ()

    def assumed(self, columns: Columns) -> list[int]:
        """The positions of the columns that a member leaves open and its group does not."""
        pairs = zip(columns, self.columns, strict=True)
        return [at for at, (own, common) in enumerate(pairs) if own is None and common is not None]


def group(records: Sequence[Columns]) -> list[Group]:
    """The group of each record.

    What is known decides first, whatever the order of the records: one that leaves more columns open never keeps two
    apart, or brings two together, that leave fewer.
    """
    position = {columns: at for at, columns in reversed(list(enumerate(records)))}
    groups: list[Group] = []
    group_of: dict[Columns, Group] = {}
    for columns in sorted(position, key=lambda columns: (columns.count(None), position[columns])):
        fitting = [one for one in groups if not one.fits and _compatible(columns, one.columns)]
        if len(fitting) == 1:
            [joined] = fitting
            joined.columns = tuple(
                common if own is None else own for own, common in zip(columns, joined.columns, strict=True)
            )
            joined.first = min(joined.first, position[columns])
        else:
            joined = Group(columns, position[columns], len(fitting), _undecided(columns, fitting))
            groups.append(joined)
        group_of[columns] = joined
    return [group_of[columns] for columns in records]


def _undecided(columns: Columns, fitting: Sequence[Group]) -> tuple[int, ...]:
    return tuple(
        at for at, own in enumerate(columns) if own is None and len({one.columns[at] for one in fitting} - {None}) > 1
    )


def _compatible(one: Columns, other: Columns) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
