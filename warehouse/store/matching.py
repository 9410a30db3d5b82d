"""Which records are of the same thing, column by column, where some columns are not known.

Equal columns match, and an unknown one (None) matches anything. So being alike is not transitive: a record that leaves
columns open may fit several groups that differ from each other, and then joins none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
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
    apart, or brings two together, that leave fewer. Of several that leave as many open, and fit one group but not each
    other, none joins it.
    """
    position = {columns: at for at, columns in reversed(list(enumerate(records)))}
    groups: list[Group] = []
    group_of: dict[Columns, Group] = {}
    for _, tier in groupby(sorted(position, key=_open), key=_open):
        level = sorted(tier, key=lambda columns: position[columns])
        fitting = {columns: _fitting(columns, [one for one in groups if not one.fits]) for columns in level}
        rest: list[Columns] = []
        for columns in level:
            if len(fitting[columns]) > 1:
                group_of[columns] = _alone(columns, position[columns], [one.columns for one in fitting[columns]])
            elif fitting[columns] and _all_compatible(
                columns, [other for other in level if fitting[other] == fitting[columns]]
            ):
                group_of[columns] = fitting[columns][0]
            else:
                rest.append(columns)
        for columns in level:
            if columns in group_of and not group_of[columns].fits:
                _join(group_of[columns], columns, position[columns])
        group_of |= _among_themselves(rest, position)
        groups += {id(group_of[columns]): group_of[columns] for columns in level}.values()
        groups = list({id(one): one for one in groups}.values())
    return [group_of[columns] for columns in records]


def _among_themselves(records: Sequence[Columns], position: Mapping[Columns, int]) -> dict[Columns, Group]:
    """New groups of records that leave as many columns open: those whose likes are all alike make one."""
    beside = {
        columns: [other for other in records if other != columns and _compatible(columns, other)] for columns in records
    }
    torn = {columns for columns, others in beside.items() if not all(_all_compatible(one, others) for one in others)}
    groups: list[Group] = []
    group_of: dict[Columns, Group] = {}
    for columns in records:
        if columns in torn:
            group_of[columns] = _alone(columns, position[columns], beside[columns])
        elif joined := _fitting(columns, groups):
            group_of[columns] = joined[0]
            _join(joined[0], columns, position[columns])
        else:
            group_of[columns] = Group(columns, position[columns])
            groups.append(group_of[columns])
    return group_of


def _join(one: Group, columns: Columns, at: int) -> None:
    one.columns = tuple(common if own is None else own for own, common in zip(columns, one.columns, strict=True))
    one.first = min(one.first, at)


def _alone(columns: Columns, at: int, fitting: Sequence[Columns]) -> Group:
    undecided = tuple(
        i for i, own in enumerate(columns) if own is None and len({one[i] for one in fitting} - {None}) > 1
    )
    return Group(columns, at, len(fitting), undecided)


def _open(columns: Columns) -> int:
    return columns.count(None)


def _fitting(columns: Columns, groups: Sequence[Group]) -> list[Group]:
    return [one for one in groups if _compatible(columns, one.columns)]


def _all_compatible(columns: Columns, others: Sequence[Columns]) -> bool:
    return all(_compatible(columns, other) for other in others)


def _compatible(one: Columns, other: Columns) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
