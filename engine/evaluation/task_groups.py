"""Groups of tasks: which are parts of which."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval.api.group import Group


def parts_first(groups: dict[str, Group]) -> list[Group]:
    """Every group once, after all that it holds."""
    ordered: dict[str, Group] = {}

    def visit(group: Group) -> None:
        for part in group.get_all_groups(recursive=False):
            visit(part)
        ordered.setdefault(group.name, group)

    for group in groups.values():
        visit(group)
    return list(ordered.values())


def parents_of(groups: Sequence[Group]) -> dict[str, str]:
    """Task or group name → the nearest group above it that has an aggregate of its own."""
    parents: dict[str, str] = {}
    for group in groups:
        if not group.has_aggregation:
            continue
        names = [task.task_name for task in group.get_all_tasks()]
        names += [part.name for part in group.get_all_groups() if part.has_aggregation]
        for name in names:
            parents.setdefault(name, group.name)  # groups come parts first, so the nearest is met first
    return parents
