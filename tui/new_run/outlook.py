"""What will happen when a run is started as it stands in the form: cells, time, memory, command, widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Label, Static

from engine.planning.calibration_forecast import CalibrationForecast
from engine.planning.forecast import Forecast
from engine.planning.memory_forecast import MemoryForecast
from tui import format as fmt
from warehouse.numbers import format_bytes
from warehouse.records.level import level_label
from warehouse.text import counted

_FACTS = ("time", "energy", "costs", "calibrate", "memory", "compile")
_PARTS = ("forecast", "warnings", *_FACTS, "command-title", "command", "widths")
_COMPILING = "slower start, faster passes: pays on a GPU, in sweeps of minutes"


class RunOutlook(VerticalScroll):
    """Shows a forecast and the command that equals the form, or what is missing for that."""

    def compose(self) -> ComposeResult:
        yield Static(id="forecast")
        yield Static(id="warnings")
        for fact in _FACTS:
            with Horizontal(classes="fact"):
                yield Label(fact)
                yield Static(id=fact)
        yield Static(id="command-title")
        yield Static(id="command")
        yield Static(id="widths")

    def on_mount(self) -> None:
        self.border_title = "What will happen"

    def show_problem(self, problem: str) -> None:
        """Nothing can be foretold yet."""
        self._show({"forecast": Text(problem, style="italic")})

    def show(
        self,
        forecast: Forecast,
        memory: MemoryForecast | str,
        command: str,
        *,
        runs: Sequence[Forecast],
        baseline: bool,
        compiled: bool,
    ) -> None:
        """`forecast` and `memory`, or why it is not known, are of the first of the runs; `baseline` says whether the
        unpruned model is among the levels.
        """
        colours = self.app.theme_variables
        warnings = []
        if not isinstance(memory, str) and memory.advice:
            warnings.append(f"! {memory.advice}")
        if not baseline:
            warnings.append("! Without level 0 there is nothing to compare with.")
        self._show(
            {
                "forecast": _cells(forecast) if len(runs) == 1 else _all_cells(runs),
                "warnings": Text("\n".join(warnings), style=colours["loss"]),
                "time": Text(_time(forecast) if len(runs) == 1 else _all_time(runs)),
                "energy": Text(_energy(runs)),
                "costs": Text(_costs(forecast)),
                "calibrate": Text("" if forecast.calibration is None else _calibration(forecast.calibration)),
                "memory": Text(memory if isinstance(memory, str) else _memory(memory, forecast)),
                "compile": Text(_COMPILING if compiled else ""),
                "command-title": Text("The same from a shell (ctrl+y copies):", style=colours["neutral"]),
                "command": Text(command),
                "widths": _widths(forecast, colours["neutral"]),
            }
        )

    def _show(self, texts: Mapping[str, Text]) -> None:
        """What is not among the texts takes no room."""
        for part in _PARTS:
            text = texts.get(part, Text())
            static = self.query_one(f"#{part}", Static)
            static.update(text)
            static.display = bool(text)
            if isinstance(static.parent, Horizontal):
                static.parent.display = bool(text)


def _all_cells(runs: Sequence[Forecast]) -> Text:
    more = "" if all(one.all_known for one in runs) else " or more"
    text = Text(f"{len(runs)} runs, {counted(sum(one.cells for one in runs), 'evaluation')}{more}", style="bold")
    return Text.assemble(text, ": one for each model, method and repair, a sweep")


def _all_time(runs: Sequence[Forecast]) -> str:
    told = [one.seconds for one in runs if one.seconds is not None]
    if len(told) < len(runs):
        return f"not known: of {len(runs) - len(told)} of the runs no earlier one tells"
    about = "about" if all(one.timed == 1 for one in runs) else "roughly"
    return f"{about} {fmt.duration(sum(told))} one after another, as earlier runs took"


def _cells(seen: Forecast) -> Text:
    more = "" if seen.all_known else " or more"
    text = Text(f"{counted(seen.cells, 'evaluation')}{more}", style="bold")
    return Text.assemble(text, f": {counted(seen.levels, 'level')} × {counted(seen.tasks, 'task')}{more}")


def _time(seen: Forecast) -> str:
    if seen.seconds is None:
        return "not known: no earlier run of this model and these tasks"
    about = f"{'about' if seen.timed == 1 else 'roughly'} {fmt.duration(seen.seconds)}, as earlier runs took"
    if seen.startup is None:
        return f"{about}; how long they took to start was not recorded"
    return f"{about}; {fmt.duration(seen.startup)} of it to start"


def _energy(runs: Sequence[Forecast]) -> str:
    """Of all runs, or why it is not known."""
    if any(one.seconds is None for one in runs):
        return "not known, as the time is not"
    told = [one.joules for one in runs if one.joules is not None]
    if len(told) < len(runs):
        return "not known: no earlier run of this model on this machine had a device that tells its power"
    watts = sum(told) / max(sum(one.seconds or 0.0 for one in runs), 1e-9)
    return f"roughly {fmt.joules(sum(told))} as drawn, idle power included: earlier runs drew {watts:.0f} W on average"


def _costs(seen: Forecast) -> str:
    if seen.profiling is None:
        return ""
    bound = fmt.duration(seen.profiling_bound or 0.0)
    if seen.profiling == seen.profiling_bound:
        return f"at most {bound} of the time, to measure what each level costs: what is not reached by then is missing"
    return f"{fmt.duration(seen.profiling)} of the time, to measure what each level costs; {bound} at most"


def _calibration(seen: CalibrationForecast) -> str:
    return (
        f"{seen.tokens:,} tokens, roughly {fmt.duration(seen.seconds)} to order and repair; more where the model "
        "writes the text itself"
    )


def _memory(seen: MemoryForecast, forecast: Forecast) -> str:
    parts = [f"{format_bytes(seen.weights)} weights"]
    if seen.libraries:
        parts.append(f"{format_bytes(seen.libraries)} libraries")
    if seen.calibration:
        parts.append(f"{format_bytes(seen.calibration)} for what neurons do together")
    parts.append(f"{format_bytes(seen.working)} to work on up to {seen.tokens:,} tokens at once")
    free = "does not report what is free" if seen.free is None else f"has {format_bytes(seen.free)} free"
    text = f"about {format_bytes(seen.needed)}: {', '.join(parts)}; {seen.place} {free}"
    if seen.cache:
        tasks = forecast.generating
        names = ", ".join(tasks[:2]) + (f" and {len(tasks) - 2} more" if len(tasks) > 2 else "")
        text += f". Writing text ({names}) adds {format_bytes(1000 * seen.cache)} per 1,000 tokens of prompt and answer"
        if seen.cache_limit is not None:
            text += f", at most {format_bytes(seen.cache_limit)}"
    return text


def _widths(seen: Forecast, muted: str) -> Text:
    text = Text()
    if seen.widths and seen.parameters:
        text.append("level   neurons a layer    parameters", style=muted)
        for level, width, parameters in seen.widths:
            share = 100 * parameters / seen.parameters
            text.append(f"\n{level_label(level):<8}{width:>15,}{fmt.count(parameters):>14}  {share:5.1f}%")
    return text
