"""The GPUs of this host that a sweep is spread over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.errors import UserError
from engine.planning.plan import RunPlan


@dataclass(frozen=True, slots=True)
class Card:
    """`number` is the driver's, as `nvidia-smi` has it; so is the `uuid`. `memory` is in bytes, None if not known."""

    number: int
    uuid: str
    memory: int | None = None

    def __str__(self) -> str:
        return f"gpu {self.number}"

    @property
    def environment(self) -> dict[str, str]:
        """For a worker that is to see this one alone, whatever order CUDA would count in."""
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(self.number)}


@dataclass(frozen=True, slots=True)
class CardGroup(Card):
    """Several cards for a model that is larger than one; number and uuid are the first's."""

    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"gpu {','.join(map(str, self.numbers))}"

    @property
    def environment(self) -> dict[str, str]:
        """For a worker that is to see these alone."""
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(map(str, self.numbers))}


def grouped(cards: Sequence[Card], size: int) -> list[Card]:
    """Neighbours together, so many in a group; what is left over is not used.

    Raises:
        UserError: there are fewer.
    """
    if size == 1:
        return list(cards)
    if len(cards) < size:
        raise UserError(f"--cards {size} asks for {size} GPUs at a time, and --gpus names {len(cards)}: name more.")
    groups = [cards[start : start + size] for start in range(0, len(cards) - size + 1, size)]
    return [
        CardGroup(number=group[0].number, uuid=group[0].uuid, numbers=tuple(card.number for card in group))
        for group in groups
    ]


def chosen_places(text: str, plans: Sequence[RunPlan]) -> list[Card]:
    """The cards of a list, as `chosen_cards`, in groups as large as the plans need."""
    return grouped(chosen_cards(text), max((plan.cards for plan in plans), default=1))


def host_cards() -> list[Card]:
    """Every GPU that the driver lists; none where there is no driver."""
    import pynvml  # a tenth of what the dashboard would import before it is painted

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        return [
            Card(number, str(pynvml.nvmlDeviceGetUUID(handle)), int(pynvml.nvmlDeviceGetMemoryInfo(handle).total))
            for number, handle in enumerate(handles)
        ]
    except pynvml.NVMLError as error:
        raise UserError(f"The driver does not tell which GPUs there are ({error}): look at nvidia-smi.") from error
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def chosen_cards(text: str) -> list[Card]:
    """Those of a list of the driver's numbers, or `all`: of those that CUDA_VISIBLE_DEVICES leaves, where it is set.

    Raises:
        UserError: there is no GPU, or one of them is not there.
    """
    cards = _visible(host_cards(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    if not cards:
        raise UserError("There is no GPU here for --gpus: leave it out, and the runs go one after another.")
    if text.strip() == "all":
        return cards
    there = {str(card.number): card for card in cards}
    asked = [part.strip() for part in text.split(",") if part.strip()]
    if not asked:
        raise UserError(f"--gpus: give all, or numbers of {', '.join(there)}.")
    for part in asked:
        if part not in there:
            raise UserError(f"--gpus: there is no GPU '{part}': give all, or numbers of {', '.join(there)}.")
    if len(set(asked)) < len(asked):
        raise UserError("--gpus: name each GPU once.")
    return [there[part] for part in asked]


def _visible(cards: Sequence[Card], environment: str | None) -> list[Card]:
    if environment is None:
        return list(cards)
    names = [name.strip() for name in environment.split(",") if name.strip()]
    return [card for name in names for card in cards if name == str(card.number) or _is_uuid(name, card)]


def _is_uuid(name: str, card: Card) -> bool:
    return name[:4] == "GPU-" and card.uuid[: len(name)] == name
