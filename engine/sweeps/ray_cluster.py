"""Ray as the carrier: an actor for each GPU of a cluster's nodes, and calls to them.

Nothing here needs more of Ray than nodes, named actors and calls, so that a driver may be on a node of the cluster
(`--on ray`, what Ray keeps best) or outside of it (`ray://`, Ray Client). Actors are detached: they outlive the driver,
and one that carries the sweep on finds them by their names. What a Ray call does not promise (it is made at most once,
and may have run where it fails) is left to `ray_place` and `streaming`, which may be asked again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.planning.where import Alone
from engine.runs import runlock
from engine.sweeps.ray_executor import PlaceFacts, PlaceLostError, UnreachableError
from engine.sweeps.ray_joining import NAMESPACE, gone, join, places_of

_LOOKS_EVERY = 2.0  # seconds between two looks at which nodes there are
_READY_EVERY = 0.05
_ANSWERS_WITHIN = 60.0  # seconds for which places of an earlier driver are waited for
_JOINS_AGAIN_EVERY = 5.0


@dataclass(slots=True)
class _Slot:
    """A place that there may be: on a node, its n-th. `facts` once it has answered, `name` what it is called then."""

    handle: Any
    asked: RayCall
    host: str = ""
    facts: PlaceFacts | None = None
    told: dict[str, Any] | None = None


@dataclass(slots=True, eq=False)
class RayCall:
    cluster: RayCluster
    slot: str
    reference: Any

    def ready(self) -> bool:
        return self.cluster.is_ready(self)

    def result(self) -> Any:
        return self.cluster.result(self)


@dataclass(slots=True)
class RayCluster:
    """`job` is the sweep's id, by which its places are found again; `runs` the folder of runs, which places may share
    unless `shares` says that they are not asked. `say` is told what a person should know.
    """

    address: str | None
    job: str
    alone: Alone
    runs: Path
    say: Callable[[str], object]
    shares: bool = True
    _slots: dict[str, _Slot] = field(default_factory=dict[str, "_Slot"])
    _names: dict[str, str] = field(default_factory=dict[str, str])  # of places, by slot
    _asked: set[RayCall] = field(default_factory=set["RayCall"])
    _ready: set[RayCall] = field(default_factory=set["RayCall"])
    _said: set[str] = field(default_factory=set[str])
    _looked: float = 0.0
    _waited: float = 0.0
    _token: tuple[Path, str] | None = None
    _lost_at: float | None = None

    # The places.

    def places(self) -> Mapping[str, PlaceFacts]:
        if self._is_joined() and time.monotonic() - self._looked > _LOOKS_EVERY:
            self._looked = time.monotonic()
            with self._unless_cut_off():
                self._look()
        return {self._names[key]: slot.facts for key, slot in self._slots.items() if slot.facts is not None}

    def _look(self) -> None:
        import ray

        places, gpus = places_of(ray.nodes())
        wanted = {f"{self.job}/{node['NodeID']}/{number}": node for node, number in places}
        for key in self._slots.keys() - wanted.keys():
            self._drop(key)
        for key, node in wanted.items():
            if key not in self._slots and f"{key} cannot" not in self._said:
                self._open(key, node, gpu=gpus)
        for key, slot in list(self._slots.items()):
            if slot.facts is None and slot.asked.ready():
                self._take_facts(key, slot)

    def _open(self, key: str, node: Mapping[str, Any], *, gpu: bool) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        handle = (
            ray.remote(_actor_class())
            .options(
                name=key,
                namespace=NAMESPACE,
                lifetime="detached",
                get_if_exists=True,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=8,
                num_gpus=1 if gpu else 0,
                num_cpus=0 if gpu else 1,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
            )
            .remote(version("prune-tui"), self.alone)
        )
        self._slots[key] = _Slot(handle, RayCall(self, key, None))
        self._slots[key].asked = self._call(key, "facts")

    def _take_facts(self, key: str, slot: _Slot) -> None:
        """First what it is, then whether it sees the runs' folder."""
        try:
            came = slot.asked.result()
        except PlaceLostError:
            return  # `result` has dropped it; the node may bring another
        except UnreachableError:
            slot.told, slot.asked = None, self._call(key, "facts")
            return
        except UserError as error:
            self._said.add(f"{key} cannot")
            self._drop(key)
            self.say(f"A node cannot be worked on: {error}")
            return
        told, sees = slot.told, came
        if told is None:
            told, sees = came, False
            if self.shares:
                slot.told = told
                path, text = self._token_file()
                slot.asked = self._call(key, "sees", str(path), text)
                return
        name = f"{told['host']} {told['device']}"
        if any(name == other for one, other in self._names.items() if one != key):
            name += " of node " + key.removeprefix(f"{self.job}/")[:6]
        self._names[key] = name
        held = told["in_hand"]
        slot.facts = PlaceFacts(
            host=told["host"],
            room=told["room"],
            folder=told["folder"],
            in_hand=None if held is None else (held[0], held[1]),
            shares=bool(sees),
        )

    def _drop(self, key: str) -> None:
        self._slots.pop(key, None)
        self._names.pop(key, None)

    def _token_file(self) -> tuple[Path, str]:
        """By which a place can tell that it sees the folder of runs; a lock beside it tells whether locks count."""
        if self._token is None:
            text = secrets.token_hex(16)
            path = self.runs.resolve() / ".sweeps" / f"{text}.token"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self._token = path, text
        return self._token

    # Calls.

    def call(self, place: str, method: str, *arguments: Any) -> RayCall:
        key = next((key for key, name in self._names.items() if name == place), "")
        return self._call(key, method, *arguments)

    def _call(self, key: str, method: str, *arguments: Any) -> RayCall:
        reference = None
        if (slot := self._slots.get(key)) is not None:
            with self._unless_cut_off():
                reference = slot.handle.call.remote(method, *arguments)
        call = RayCall(self, key, reference)
        if reference is not None:
            self._asked.add(call)
        return call

    def is_ready(self, call: RayCall) -> bool:
        """All calls are looked after at once: there may be many."""
        if call.reference is None:
            return self._is_joined()
        if time.monotonic() - self._waited > _READY_EVERY and self._asked and self._is_joined():
            import ray

            with self._unless_cut_off():
                by_reference = {one.reference: one for one in self._asked}
                ready, _ = ray.wait(list(by_reference), num_returns=len(by_reference), timeout=0)
                found = {by_reference[one] for one in ready}
                self._ready |= found
                self._asked -= found
            self._waited = time.monotonic()
        return call in self._ready or call.reference is None

    def result(self, call: RayCall) -> Any:
        """Errors as `Call.result`."""
        import ray
        from ray import exceptions

        self._ready.discard(call)
        if call.reference is None:
            if call.slot not in self._slots:
                raise PlaceLostError
            raise UnreachableError
        try:
            return ray.get(call.reference, timeout=_ANSWERS_WITHIN)
        except exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, Exception) else error) from error
        except (exceptions.ActorUnavailableError, exceptions.GetTimeoutError, exceptions.ObjectLostError) as error:
            raise UnreachableError from error
        except gone() as error:
            self._cut_off()
            raise UnreachableError from error
        except exceptions.RayError as error:
            self._drop(call.slot)
            if "ModuleNotFoundError" in str(error) or "ImportError" in str(error):
                self._said.add(f"{call.slot} cannot")
                self.say(f"A node cannot be worked on: prune-tui {version('prune-tui')} is not installed there.")
            raise PlaceLostError from error

    # The connection.

    @contextmanager
    def _unless_cut_off(self) -> Iterator[None]:
        try:
            yield
        except gone():
            self._cut_off()

    def _cut_off(self) -> None:
        """All that was asked is open again; the places go on, and are found by their names."""
        if self._lost_at is None:
            self.say("The cluster does not answer: its nodes go on, and it is joined again as soon as it does.")
        self._lost_at = time.monotonic()
        for call in self._asked | self._ready:
            call.reference = None
        self._asked, self._ready = set(), set()

    def _is_joined(self) -> bool:
        if self._lost_at is None:
            return True
        if time.monotonic() - self._lost_at < _JOINS_AGAIN_EVERY:
            return False
        import ray

        with suppress(Exception):
            ray.shutdown()
        try:
            join(self.address, begins=False)
            for key, slot in list(self._slots.items()):
                try:
                    slot.handle = ray.get_actor(key, namespace=NAMESPACE)
                except ValueError:  # there is none of this name
                    self._drop(key)
        except (*gone(), UserError):
            self._lost_at = time.monotonic()
            return False
        self._lost_at = None
        self.say("The cluster answers again.")
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """For as long as places may be asked what they share. Those that an earlier driver left are found first."""
        import ray

        try:
            with runlock.hold(self._token_file()[0].with_suffix(".lock")):
                alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
                named: Any = ray.util.list_named_actors(all_namespaces=True)  # with their namespaces, then
                for one in named:
                    job, _, rest = one["name"].partition("/")
                    if one["namespace"] == NAMESPACE and job == self.job and rest.partition("/")[0] in alive:
                        key = one["name"]
                        self._slots[key] = _Slot(ray.get_actor(key, namespace=NAMESPACE), RayCall(self, key, None))
                        self._slots[key].asked = self._call(key, "facts")
                until = time.monotonic() + _ANSWERS_WITHIN
                while any(slot.facts is None for slot in self._slots.values()) and time.monotonic() < until:
                    for key, slot in list(self._slots.items()):
                        if slot.facts is None and slot.asked.ready():
                            self._take_facts(key, slot)
                    time.sleep(_READY_EVERY)
                yield
        finally:
            for suffix in (".token", ".lock"):
                self._token_file()[0].with_suffix(suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Give all places back."""
        import ray

        with suppress(*gone()):
            for slot in self._slots.values():
                ray.kill(slot.handle)
        self._slots, self._names = {}, {}


def _actor_class() -> type:
    """The actor. A class of a function goes to the node whole, and not by a name that its Python could not look up:
    where our packages lie is only known to ours.
    """

    class Worker:
        def __init__(self, version_here: str, alone: str) -> None:
            from importlib import import_module
            from importlib.metadata import version

            import_module("prune_tui.ours").come_first()

            from engine.sweeps.ray_place import Place

            self.problem = None
            if version("prune-tui") != version_here:
                self.problem = f"it has prune-tui {version('prune-tui')}, and here it is {version_here}."
            self.place: Any = Place(alone)  # type: ignore[arg-type]

        def call(self, method: str, *arguments: Any) -> Any:
            from engine.errors import UserError

            if self.problem is not None:
                raise UserError(self.problem)
            return getattr(self.place, method)(*arguments)

    return Worker
