"""The prompts that earlier attempts at a run asked, and whether they are still the same."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from engine.errors import UserError
from warehouse.records.facts import TaskFacts
from warehouse.records.run_state import RunHistory


@dataclass(frozen=True, slots=True)
class EarlierPrompts:
    """Of each task what was recorded when it was built, and the tokens that its cells were asked in.

    Taken from a history before the attempt adds to it: it is read in another thread.
    """

    tasks: Mapping[str, TaskFacts]
    tokens: Mapping[str, Set[str | None]]

    @classmethod
    def of(cls, history: RunHistory) -> EarlierPrompts:
        tokens: dict[str, set[str | None]] = {}
        for (_, name), cell in history.cells.items():
            tokens.setdefault(name, set()).add(cell.tokens_hash)
        return cls(dict(history.tasks), tokens)

    def refuse_changed(self, facts: TaskFacts) -> None:
        """Raises:
        UserError: the run began with other prompts.
        """
        if self.tokens.get(facts.task, set()) - {None, facts.tokens_hash}:
            raise UserError(
                f"The prompts of task '{facts.task}' have become other tokens since this run began (its data or the "
                "model's tokenizer changed): start a new run, so that no table mixes the two."
            )
        before = self.tasks.get(facts.task)
        if before is not None and before.requests_hash != facts.requests_hash:
            raise UserError(
                f"The prompts of task '{facts.task}' have changed since this run began (its data, its template or "
                "lm-eval did): start a new run, so that no table mixes the two."
            )
