"""`python -m prune_tui.lm_eval`, which finds the tasks of `--include_path` alone: reading all the others takes long."""

from functools import partialmethod

from lm_eval.tasks import TaskManager

from prune_tui.lm_eval import main

TaskManager.__init__ = partialmethod(TaskManager.__init__, include_defaults=False)  # type: ignore[assignment]
main()
