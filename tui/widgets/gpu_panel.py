"""The GPUs (or the CPU) as numbers, and their last minutes as a graph."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from engine.gpu import Reading
from tui.format import bar, size

_BLOCKS = " ▁▂▃▄▅▆▇█"
_GRAPHED = 120  # readings: two minutes


class Graph(Widget):
    """The last readings' utilisation, as wide as there is room."""

    DEFAULT_CSS = "Graph { height: 2; color: $primary; }"

    def __init__(self) -> None:
        super().__init__()
        self._values: list[float] = []

    def show(self, values: list[float]) -> None:
        self._values = values
        self.refresh()

    def render(self) -> Text:
        return Text(graph(self._values, width=max(self.size.width, 1), height=max(self.size.height, 1)), no_wrap=True)


class DevicePanel(Widget):
    """One device: its name and numbers, above the graph of its utilisation."""

    DEFAULT_CSS = """
    DevicePanel { height: auto; layout: vertical; }
    DevicePanel Static { height: auto; }
    DevicePanel Graph { margin: 0 0 1 0; }
    .-low DevicePanel Graph { margin: 0; }
    """

    def compose(self) -> ComposeResult:
        yield Static(classes="numbers")
        yield Graph()

    def show(self, readings: Sequence[Reading]) -> None:
        self.query_one(".numbers", Static).update(_numbers(readings[-1]))
        line = self.query_one(Graph)
        line.display = readings[-1].utilisation is not None
        line.show([reading.utilisation or 0.0 for reading in readings[-_GRAPHED:]])


class GpuPanel(VerticalScroll):
    """All devices of the readings it is shown, which may come from a journal or from this machine."""

    DEFAULT_CSS = """
    GpuPanel { border: round $border-blurred; padding: 0 1; border-title-color: $primary; }
    GpuPanel:focus { border: round $border; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "GPU"
        self._devices: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("Nothing was recorded of the GPU yet.", id="nothing", classes="muted")

    async def show(self, readings: Sequence[Reading], *, when: str = "") -> None:
        """`when` says what time the readings are of, where it is not now."""
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
        self.query_one("#nothing").display = not by_device
        on_cpu = bool(by_device) and all(device == "cpu" for device in by_device)
        self.border_title = "CPU (no GPU)" if on_cpu else "GPU"
        self.border_subtitle = when
        for panel, series in zip(self.query(DevicePanel), by_device.values(), strict=True):
            panel.show(series)


def graph(values: Sequence[float], *, width: int, height: int) -> str:
    """Percentages as blocks on a scale that is always 0–100, the newest at the right edge.

    Of values that share a column, the highest is drawn.
    """
    share = max(-(-len(values) // width), 1)
    first = len(values) % share
    chunks = [values[:first]] if first else []
    chunks += [values[start : start + share] for start in range(first, len(values), share)]
    columns = [max(chunk) for chunk in chunks][-width:]
    lines = []
    for line in range(height - 1, -1, -1):
        eighths = (round(value / 100 * 8 * height) - 8 * line for value in columns)
        text = "".join(_BLOCKS[min(max(part, 0 if line else 1), 8)] for part in eighths)
        lines.append(text.rjust(width))
    return "\n".join(lines)


def _numbers(reading: Reading) -> Text:
    text = Text(no_wrap=False)
    title = "CPU" if reading.device == "cpu" else reading.device.upper()
    text.append(title, style="bold")
    if reading.name:
        text.append(f"  {reading.name}")
    if reading.utilisation is not None:
        text.append(f"\nuse {reading.utilisation:3.0f}%  {bar(reading.utilisation / 100, 10)}")
    if reading.memory_used is not None and reading.memory_total:
        share = reading.memory_used / reading.memory_total
        own = f", run {size(reading.process_memory)}" if reading.process_memory else ""
        text.append(f"\nmem {100 * share:3.0f}%  {bar(share, 10)}  ")
        text.append(f"{size(reading.memory_used)} of {size(reading.memory_total)}{own}")
    facts = []
    if reading.power is not None:
        facts.append(f"{reading.power:.0f}" + (f"/{reading.power_limit:.0f}" if reading.power_limit else "") + " W")
    if reading.temperature is not None:
        facts.append(f"{reading.temperature:.0f} °C")
    if reading.clock is not None:
        facts.append(f"{reading.clock}" + (f"/{reading.clock_max}" if reading.clock_max else "") + " MHz")
    if reading.memory_clock is not None:
        facts.append(f"mem {reading.memory_clock} MHz")
    if facts:
        text.append("\n" + " · ".join(facts))
    if reading.throttled:
        text.append(f"\n! slowed down by {reading.throttled}")
    if reading.problem:
        label = "no GPU is shown: " if reading.device == "cpu" else ""
        text.append(f"\n{label}{reading.problem}", style="italic")
    return text
