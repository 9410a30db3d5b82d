"""lm-eval's index of its tasks without reading their 14,000 files, from the list that is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lm_eval.tasks import TaskManager
from lm_eval.tasks._index import Entry, Kind

from engine.planning.task_index import TaskEntry

_KINDS = {"group": Kind.GROUP, "tag": Kind.TAG, "task": Kind.TASK}


class KeptIndex(TaskManager):
    """Knows the tasks of a list, and those of folders, which are read and take precedence.

    Tasks are loaded from their files as ever: the index only says where these are, and which tasks have a tag.
    """

    def __init__(self, known: Iterable[TaskEntry], folders: Sequence[str]) -> None:
        super().__init__(include_path=[*folders], include_defaults=False)
        kept = {
            one.name: Entry(
                name=one.name,
                kind=_KINDS[one.kind],
                yaml_path=None if one.file is None else Path(one.file),
                tags=set(one.tagged),
            )
            for one in known
        }
        self._index: dict[str, Entry] = kept | self._index
        self._all_tasks: list[str] = sorted(self._index)
