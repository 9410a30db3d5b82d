"""What a group of lm-eval has of its parts: shots and documents, which its files leave out or write wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DIFFERENT = -1
"""The shots of a group whose tasks differ in them, as runs of our own write it."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one result file, each with the names of its direct parts, groups or tasks."""

    parts: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Groups:
        """From `group_subtasks`; from how the names are indented where a file (of 0.4.0 to 0.4.2) has none."""
        named = data.get("group_subtasks")
        if named is None:
            return cls(_indented(data["results"]) if data.get("groups") else {})
        return cls({group: tuple(parts) for group, parts in named.items() if parts})

    def parents(self) -> dict[str, str]:
        """The group that a task or group is a direct part of."""
        return {part: group for group, parts in self.parts.items() for part in parts}

    def tasks(self, name: str) -> tuple[str, ...]:
        """The tasks under a group, groups in it followed down; of a task, itself."""
        names: dict[str, None] = {}
        waiting, seen = [name], {name}
        while waiting:
            one = waiting.pop()
            parts = self.parts.get(one)
            if parts is None:
                names[one] = None
                continue
            new = [part for part in parts if part not in seen]
            seen.update(new)
            waiting.extend(reversed(new))
        return tuple(names)

    def num_fewshot(self, name: str, shots: Mapping[str, int | None]) -> int | None:
        """A group has the shots of its tasks; None where those of one are unknown."""
        if name not in self.parts:
            return shots.get(name)
        return same(shots.get(task) for task in self.tasks(name))

    def documents(self, name: str, counts: Mapping[str, int | None]) -> int | None:
        """A group has as many as its tasks together; None where one of them is not counted."""
        numbers = [counts.get(task) for task in self.tasks(name)]
        return None if None in numbers or not numbers else sum(count for count in numbers if count is not None)

    def bottom_up(self, names: Iterable[str]) -> list[str]:
        """Tasks before the groups that they are parts of, and these before theirs, as in runs of our own."""
        parents = self.parents()

        def depth(name: str) -> int:
            steps = 0
            while (name := parents.get(name, "")) and steps <= len(parents):
                steps += 1
            return steps

        return sorted(names, key=lambda name: -depth(name))


def same(shots: Iterable[int | None]) -> int | None:
    distinct = set(shots)
    if None in distinct or not distinct:
        return None
    return distinct.pop() if len(distinct) == 1 else DIFFERENT


def _indented(results: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """lm-eval's table as a tree: `mmlu`, ` - mmlu_stem`, `  - anatomy`."""
    parts: dict[str, list[str]] = {}
    above: list[str] = []
    for name, result in results.items():
        alias = str(result.get("alias") or name)
        indent = len(alias) - len(alias.lstrip(" "))
        depth = indent if alias.lstrip(" ").startswith("- ") else 0
        del above[depth:]
        if above and depth:
            parts.setdefault(above[-1], []).append(name)
        above.append(name)
    return {group: tuple(members) for group, members in parts.items()}
