"""The GPUs (or the CPU): what each does now and did in the last minutes, what the run has used, and who computes there.

A line for each measure, with its history beside it: labelled, on a scale of its own that never moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.format import count, rate
from tui.runs.record import RunDetail
from tui.runs.usage import Usage
from tui.widgets.words import Words
from warehouse.numbers import format_bytes
from warehouse.records.reading import Reading
from warehouse.text import one_line

if TYPE_CHECKING:
    from engine.gpu import GpuProcess

_BLOCKS = " ▁▂▃▄▅▆▇█"
_GRAPHED = 120  # readings: two minutes
_TWO_COLUMNS = 74  # characters; beside each other, two devices need no scrolling
_LABEL, _NUMBER = 7, 21
_HOTTEST = 100.0  # °C, the top of the scale
_WATT_HOUR = 3600.0  # joules


class DevicePanel(Words):
    """One device: its name, a line for each measure, and what else is to be said of it."""

    DEFAULT_CSS = "DevicePanel { height: auto; }"

    def __init__(self) -> None:
        super().__init__(classes="numbers")
        self._shown: tuple[Sequence[Reading], float | None] = ((), None)

    def on_resize(self) -> None:
        if self._shown[0]:
            self.show(*self._shown)

    def show(self, readings: Sequence[Reading], energy: float | None = None) -> None:
        """`energy` in joules is what the run took of it so far."""
        self._shown = readings, energy
        colour = self.app.theme_variables["primary"]
        self.say(device_text(readings, max(self.size.width, 30), colour, energy))


class GpuPanel(VerticalScroll):
    """All devices of the readings it is shown, which may come from a journal or from this machine."""

    DEFAULT_CSS = """
    GpuPanel {
        border: round $border-blurred; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        border-title-color: $primary; border-subtitle-color: $text-muted;
    }
    GpuPanel:focus { border: round $border; }
    GpuPanel.-columns { layout: grid; grid-size: 2; grid-gutter: 0 2; grid-rows: auto; }
    GpuPanel.-columns .whole { column-span: 2; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "GPU"
        self._devices: list[str] = []
        self._shown: tuple[object, ...] = ()
        self._usage = Usage()

    def compose(self) -> ComposeResult:
        yield Words(id="speed", classes="whole")
        yield Static("Nothing was recorded of the GPU yet.", id="nothing", classes="muted")
        yield Words(id="processes", classes="whole")

    async def show_run(
        self, detail: RunDetail, readings: Sequence[Reading] | None, processes: Sequence[GpuProcess] = ()
    ) -> None:
        """With `readings` of this machine now; without them, what the run recorded."""
        if readings is not None:
            await self.show(readings, usage=detail.usage, processes=processes)
            return
        when = f"as of {datetime.fromtimestamp(detail.readings[-1].t):%H:%M:%S}" if detail.readings else ""
        await self.show(detail.readings, when=when, usage=detail.usage)

    async def show(
        self,
        readings: Sequence[Reading],
        *,
        when: str = "",
        usage: Usage | None = None,
        processes: Sequence[GpuProcess] = (),
    ) -> None:
        """`when` says what time the readings are of, where it is not now."""
        self._usage = usage = usage or Usage()
        shown = (readings, when, usage, processes)
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
            await self.mount(*(DevicePanel() for _ in by_device), before="#processes")
            self._arrange()
        self.query_one("#nothing").display = not by_device
        on_cpu = bool(by_device) and all(device == "cpu" for device in by_device)
        self.border_title = "CPU (no GPU)" if on_cpu else "GPU"
        self.border_subtitle = when
        for panel, (device, series) in zip(self.query(DevicePanel), by_device.items(), strict=True):
            panel.show(series, usage.energy.get(device))
        self._show_speed()
        processed = processes_text(processes, several=len(by_device) > 1)
        self.query_one("#processes").display = bool(processed)
        self.query_one("#processes", Words).say(processed)

    def _show_speed(self) -> None:
        speed = self._usage.speed
        line = self.query_one("#speed", Words)
        line.display = bool(speed)
        if speed:
            most = max(speed)
            number = f"{rate(speed[-1])} tokens/s"
            width = max(line.size.width or self.content_size.width - 1, 30)  # less the scrollbar's place
            text = _row("speed", number, speed, most or 1.0, width, self.app.theme_variables["primary"])
            line.say(text.append(f"\n{'':{_LABEL}}over the run; most {count(most)} tokens/s"))

    def on_resize(self) -> None:
        self._arrange()
        if self.is_mounted:
            self._show_speed()

    def _arrange(self) -> None:
        self.set_class(len(self._devices) > 1 and self.size.width >= _TWO_COLUMNS, "-columns")


def graph(values: Sequence[float | None], *, width: int, height: int = 1, top: float = 100.0) -> str:
    """Values as blocks on a scale from 0 to `top`, the newest at the right edge; blank where not known.

    Of values that share a column, the highest is drawn.
    """
    share = max(-(-len(values) // width), 1)
    first = len(values) % share
    chunks = [values[:first]] if first else []
    chunks += [values[start : start + share] for start in range(first, len(values), share)]
    columns = [max((value for value in chunk if value is not None), default=None) for chunk in chunks][-width:]
    lines = []
    for line in range(height - 1, -1, -1):
        text = "".join(" " if value is None else _block(100 * value / top, line, height) for value in columns)
        lines.append(text.rjust(width))
    return "\n".join(lines)


def _block(value: float, line: int, height: int) -> str:
    eighths = round(value / 100 * 8 * height) - 8 * line
    return _BLOCKS[min(max(eighths, 0 if line else 1), 8)]


def _row(label: str, number: str, values: Sequence[float | None], top: float, width: int, colour: str) -> Text:
    text = Text(f"{label:<{_LABEL}}{number:<{_NUMBER}}", no_wrap=True)
    if (room := width - _LABEL - max(_NUMBER, len(number)) - 1) >= 6:
        text.append(" ").append(graph(values, width=room, top=top), colour)
    return text


def device_text(readings: Sequence[Reading], width: int, colour: str, energy: float | None) -> Text:
    """What a device tells and, of a GPU, what it does not, in lines of `width` characters."""
    reading, series = readings[-1], readings[-_GRAPHED:]
    on_cpu = reading.device == "cpu"
    text = Text(no_wrap=False)
    text.append("CPU" if on_cpu else reading.device.upper(), style="bold")
    if reading.name:
        text.append(f"  {reading.name}")
    for label, number, values, top in _measures(reading, series):
        if number:
            text.append("\n").append_text(_row(label, number, values, top, width, colour))
    rest = [part for part in (_share(reading), _clock(reading), _memory_clock(reading)) if part]
    if rest:
        text.append(f"\n{' · '.join(rest)}")
    if energy:
        text.append(f"\nenergy {energy_text(energy)} since the run began")
    if reading.throttled:
        text.append(f"\n! slowed down by {reading.throttled}")
    if reading.problem:
        label = "no GPU is shown: " if on_cpu else "! "
        text.append(f"\n{label}{reading.problem}", style="italic")
    elif not on_cpu and (missing := _missing(reading)):
        text.append(f"\n{', '.join(missing)} not reported", style="italic")
    return text


def energy_text(joules: float) -> str:
    """`0.42 Wh`, `1.31 kWh`."""
    hours = joules / _WATT_HOUR
    return f"{hours / 1000:.2f} kWh" if hours >= 1000 else f"{hours:.3g} Wh"


def processes_text(processes: Sequence[GpuProcess], *, several: bool) -> Text:
    """Who computes on the GPUs: the most memory first."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if processes:
        text.append("processes", "bold")
    for one in sorted(processes, key=lambda one: (one.device, -(one.memory or 0))):
        held = "" if one.memory is None else format_bytes(one.memory)
        where = f"{one.device:<7}" if several else ""
        text.append(f"\n{where}{one.pid:>8}  {held:>10}  {one_line(one.name)}")
    return text


def _measures(reading: Reading, series: Sequence[Reading]) -> list[tuple[str, str | None, list[float | None], float]]:
    """Label, number, history and the top of its scale."""
    powers = [one.power for one in series]
    highest = reading.power_limit or max((one for one in powers if one is not None), default=1.0) or 1.0
    return [
        ("use", _percent(reading.utilisation), [one.utilisation for one in series], 100.0),
        ("memory", _memory(reading), [_memory_share(one) for one in series], 100.0),
        ("power", _of(reading.power, reading.power_limit, "W"), powers, highest),
        ("heat", _of(reading.temperature, None, "°C"), [one.temperature for one in series], _HOTTEST),
    ]


def _missing(reading: Reading) -> list[str]:
    told = {
        "use": reading.utilisation,
        "memory": _memory(reading),
        "the run's memory": reading.process_memory,
        "power": reading.power,
        "temperature": reading.temperature,
        "clock": reading.clock,
        "memory clock": reading.memory_clock,
    }
    return [name for name, number in told.items() if number is None]


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:3.0f}%"


def _memory_share(reading: Reading) -> float | None:
    if reading.memory_used is None or not reading.memory_total:
        return None
    return 100 * reading.memory_used / reading.memory_total


def _memory(reading: Reading) -> str | None:
    share = _memory_share(reading)
    if share is None or reading.memory_used is None or reading.memory_total is None:
        return None
    used, total = format_bytes(reading.memory_used), format_bytes(reading.memory_total)
    used = used.removesuffix(total[total.index(" ") :])  # the unit once, where both have the same
    return f"{share:3.0f}% {used}/{total}"


def _share(reading: Reading) -> str | None:
    if not reading.process_memory:
        return None
    share = f"{100 * reading.process_memory / reading.memory_total:.0f}% " if reading.memory_total else ""
    return f"run {share}{format_bytes(reading.process_memory)}"


def _clock(reading: Reading) -> str | None:
    return _of(reading.clock, reading.clock_max, "MHz")


def _memory_clock(reading: Reading) -> str | None:
    clock = _of(reading.memory_clock, None, "MHz")
    return None if clock is None else f"memory {clock}"


def _of(number: float | None, limit: float | None, unit: str) -> str | None:
    if number is None:
        return None
    return f"{number:.0f}" + (f"/{limit:.0f}" if limit else "") + f" {unit}"
