"""Named lists of tasks, with the shots they are run at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import UserError


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """An lm-eval task or group by name; `num_fewshot` None leaves the task's own number of shots."""

    name: str
    num_fewshot: int | None = None

    @classmethod
    def parse(cls, text: str) -> TaskSpec:
        """`gsm8k@5` is gsm8k with five shots.

        Raises:
            UserError: the text is empty or the shots are not a whole number.
        """
        match = re.fullmatch(r"\s*([^@\s]+)(?:@(\d{1,6}))?\s*", text)
        if match is None:
            raise UserError(f"'{text}' is not a task: write a name such as piqa, or gsm8k@5 for five shots.")
        return cls(match[1], None if match[2] is None else int(match[2]))

    def __str__(self) -> str:
        return self.name if self.num_fewshot is None else f"{self.name}@{self.num_fewshot}"


def _tasks(*texts: str) -> tuple[TaskSpec, ...]:
    return tuple(TaskSpec.parse(text) for text in texts)


# Tasks and shots of Martra 2025 (arXiv 2512.22671): its 13 benchmarks for base models, 7 for instruct ones.
SUITES: dict[str, tuple[TaskSpec, ...]] = {
    "paper": _tasks(
        "wikitext@0", "lambada_openai@0", "boolq@0", "piqa@0", "winogrande@0", "arc_challenge@0", "hellaswag@0",
        "truthfulqa_mc1@0", "truthfulqa_mc2@0", "leaderboard_musr@0", "mmlu@5", "gsm8k@5", "ifeval@0",
    ),
    "paper-instruct": _tasks(
        "lambada_openai@0", "truthfulqa_mc1@0", "truthfulqa_mc2@0", "leaderboard_musr@0", "mmlu@5", "gsm8k@5",
        "ifeval@0",
    ),
    # Accuracies by log-likelihood and two perplexities, without examples: what papers on pruning compare methods by.
    "referee": _tasks(
        "wikitext@0", "lambada_openai@0", "piqa@0", "hellaswag@0", "arc_challenge@0", "winogrande@0", "boolq@0",
    ),
    "demo": _tasks("demo_story", "demo_lambada", "demo_facts", "demo_grammar", "demo_sums@3", "demo_instructions"),
}  # fmt: skip

DEMO_MODEL = "demo"


def suite(name: str) -> tuple[TaskSpec, ...]:
    """Raises:
    UserError: there is no suite of this name.
    """
    if name not in SUITES:
        raise UserError(f"There is no suite '{name}': choose {', '.join(SUITES)}, or name tasks with --tasks.")
    return SUITES[name]
