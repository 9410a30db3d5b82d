"""How a run stands, in the lines above its grid: what it is, how far it is, its rates, and what is at work beside."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui import format as fmt
from tui.runs.record import RunDetail
from tui.runs.states import about, advice, state_text
from warehouse.records.level import level_label
from warehouse.text import counted, one_line


def run_head(detail: RunDetail, now: Sequence[Text], colours: dict[str, str]) -> Text:
    """`now` are the lines of `now_lines`, or others in their place."""
    row = detail.row
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(one_line(row.name), style=f"bold {colours['primary']}")
    text.append(f"  {about(row)}")
    text.append(f" · attempt {detail.attempt}\n" if detail.attempt > 1 else "\n")
    text.append_text(state_text(row, colours))
    text.append(f"  {fmt.bar(row.share, 16)} {fmt.progress(row.done, row.total)}")
    if row.failed and row.running:
        text.append(f" · ✗ {row.failed} failed", style=colours["loss"])
    if detail.elapsed:
        text.append(
            f" · took {fmt.duration(detail.elapsed)}" if not row.running else f" · {fmt.duration(detail.elapsed)}"
        )
    if row.seconds_left is not None:
        text.append(f" · {fmt.duration(row.seconds_left)} left", style=f"bold {colours['accent']}")
    for line in now:
        text.append("\n")
        text.append_text(line)
    return text


def now_lines(detail: RunDetail, quiet: str) -> list[Text]:
    """What is going on: the evaluation, and in a quiet line beside it the stages that are at work."""
    stages = [Text(one_line("  ".join(detail.stages)), style=quiet)] if detail.stages else []
    current = detail.row.current
    if current is None:
        return stages or [Text(one_line(advice(detail.row, opened=True)))]
    parts = [f"{level_label(current.level)} {current.task}", f"{current.done}/{counted(current.total, 'request')}"]
    if (rate := current.requests_per_second) is not None:
        parts.append(f"{fmt.rate(rate)} requests/s")
    if (rate := current.tokens_per_second) is not None:
        parts.append(f"{fmt.rate(rate)} tokens/s")
    if detail.task_seconds_left is not None:
        parts.append(f"task {fmt.duration(detail.task_seconds_left)} left")
    return [Text(one_line(" · ".join(parts))), *stages]
