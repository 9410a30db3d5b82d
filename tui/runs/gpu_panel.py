"""The GPUs (or the CPU) as numbers, and their last minutes as a graph."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui.format import bar
from tui.widgets.words import Words
from warehouse.numbers import format_bytes
from warehouse.records.reading import Reading

_BLOCKS = " ▁▂▃▄▅▆▇█"
_GRAPHED = 120  # readings: two minutes
_TWO_COLUMNS = 74  # characters; beside each other, two devices need no scrolling


class Graph(Widget):
    """The last readings' utilisation, as wide as there is room."""

    DEFAULT_CSS = "Graph { height: 2; color: $primary; }"

    def __init__(self) -> None:
        super().__init__()
        self._values: list[float | None] = []

    def show(self, values: list[float | None]) -> None:
        self._values = values
        self.refresh()

    def render(self) -> Text:
        return Text(graph(self._values, width=max(self.size.width, 1), height=max(self.size.height, 1)), no_wrap=True)


class DevicePanel(Widget):
    """One device: its name and numbers, above the graph of its utilisation."""

    SCOPED_CSS = False  # the height of the screen decides on the margin
    DEFAULT_CSS = """
    DevicePanel { height: auto; layout: vertical; }
    DevicePanel Static { height: auto; }
    DevicePanel Graph { margin: 0 0 1 0; }
    .-low DevicePanel Graph { margin: 0; }
    """

    def compose(self) -> ComposeResult:
        yield Words(classes="numbers")
        yield Graph()

    def show(self, readings: Sequence[Reading]) -> None:
        self.query_one(".numbers", Words).say(_numbers(readings[-1]))
        line = self.query_one(Graph)
        values = [reading.utilisation for reading in readings[-_GRAPHED:]]
        line.display = any(value is not None for value in values)
        line.show(values)


class GpuPanel(VerticalScroll):
    """All devices of the readings it is shown, which may come from a journal or from this machine."""

    DEFAULT_CSS = """
    GpuPanel {
        border: round $border-blurred; padding: 0 1; scrollbar-size-vertical: 1;
        border-title-color: $primary; border-subtitle-color: $text-muted;
    }
    GpuPanel:focus { border: round $border; }
    GpuPanel.-columns { layout: grid; grid-size: 2; grid-gutter: 0 2; grid-rows: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "GPU"
        self._devices: list[str] = []
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static("Nothing was recorded of the GPU yet.", id="nothing", classes="muted")

    async def show(self, readings: Sequence[Reading], *, when: str = "") -> None:
        """`when` says what time the readings are of, where it is not now."""
        shown = (readings, when)
        if shown == self._shown:
            return
        self._shown = shown
        by_device: dict[str, list[Reading]] = {}
        for reading in readings:
            by_device.setdefault(reading.device, []).append(reading)
        latest = max((series[-1].t for series in by_device.values()), default=0.0)
        # A device that is not read any more, as when the driver dies, gives way to what is.
        by_device = {device: series for device, series in by_device.items() if latest - series[-1].t < 5}
        if list(by_device) != self._devices:
            self._devices = list(by_device)
            await self.query(DevicePanel).remove()
            await self.mount(*(DevicePanel() for _ in by_device))
            self._arrange()
        self.query_one("#nothing").display = not by_device
        on_cpu = bool(by_device) and all(device == "cpu" for device in by_device)
        self.border_title = "CPU (no GPU)" if on_cpu else "GPU"
        self.border_subtitle = when
        for panel, series in zip(self.query(DevicePanel), by_device.values(), strict=True):
            panel.show(series)

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        self.set_class(len(self._devices) > 1 and self.size.width >= _TWO_COLUMNS, "-columns")


def graph(values: Sequence[float | None], *, width: int, height: int) -> str:
    """Percentages as blocks on a scale that is always 0–100, the newest at the right edge; blank where not known.

    Of values that share a column, the highest is drawn.
    """
    share = max(-(-len(values) // width), 1)
    first = len(values) % share
    chunks = [values[:first]] if first else []
    chunks += [values[start : start + share] for start in range(first, len(values), share)]
    columns = [max((value for value in chunk if value is not None), default=None) for chunk in chunks][-width:]
    lines = []
    for line in range(height - 1, -1, -1):
        text = "".join(" " if value is None else _block(value, line, height) for value in columns)
        lines.append(text.rjust(width))
    return "\n".join(lines)


def _block(value: float, line: int, height: int) -> str:
    eighths = round(value / 100 * 8 * height) - 8 * line
    return _BLOCKS[min(max(eighths, 0 if line else 1), 8)]


def _numbers(reading: Reading) -> Text:
    """What a device tells and, of a GPU, what it does not. The lines are short enough for the narrowest panel."""
    on_cpu = reading.device == "cpu"
    text = Text(no_wrap=False)
    text.append("CPU" if on_cpu else reading.device.upper(), style="bold")
    if reading.name:
        text.append(f"  {reading.name}")
    parts_by_name = {
        "use": _use(reading),
        "memory": _memory(reading),
        "the run's memory": _share(reading),
        "power": _of(reading.power, reading.power_limit, "W"),
        "temperature": _of(reading.temperature, None, "°C"),
        "clock": _of(reading.clock, reading.clock_max, "MHz"),
        "memory clock": _of(reading.memory_clock, None, "MHz", "memory "),
    }
    for line in _LINES:
        if parts := [part for name in line if (part := parts_by_name[name])]:
            text.append(f"\n{' · '.join(parts)}")
    if reading.throttled:
        text.append(f"\n! slowed down by {reading.throttled}")
    if reading.problem:
        label = "no GPU is shown: " if on_cpu else "! "
        text.append(f"\n{label}{reading.problem}", style="italic")
    elif not on_cpu and (missing := [name for name, part in parts_by_name.items() if part is None]):
        text.append(f"\n{', '.join(missing)} not reported", style="italic")
    return text


_LINES = (("use",), ("memory",), ("the run's memory",), ("power", "temperature"), ("clock", "memory clock"))


def _use(reading: Reading) -> str | None:
    return None if reading.utilisation is None else f"use {_share_of(reading.utilisation / 100)}"


def _memory(reading: Reading) -> str | None:
    if reading.memory_used is None or not reading.memory_total:
        return None
    used, total = format_bytes(reading.memory_used), format_bytes(reading.memory_total)
    used = used.removesuffix(total[total.index(" ") :])  # the unit once, where both have the same
    return f"mem {_share_of(reading.memory_used / reading.memory_total)}  {used}/{total}"


def _share(reading: Reading) -> str | None:
    """Empty for a device that the run does not use."""
    if not reading.process_memory:
        return None if reading.process_memory is None else ""
    share = f"{_share_of(reading.process_memory / reading.memory_total)}  " if reading.memory_total else " "
    return f"run {share}{format_bytes(reading.process_memory)}"


def _share_of(share: float) -> str:
    return f"{100 * share:3.0f}%  {bar(share, 10)}"


def _of(number: float | None, limit: float | None, unit: str, what: str = "") -> str | None:
    if number is None:
        return None
    return f"{what}{number:.0f}" + (f"/{limit:.0f}" if limit else "") + f" {unit}"
