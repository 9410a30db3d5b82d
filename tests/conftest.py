"""What all tests share: the slow ones apart, databases copied from one, processes forked from one, and data."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The models here are tiny: more threads only get into each other's way. Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Else each process that compiles starts others for it, which import torch. Read when torch is imported.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
# Read when the libraries are imported: no test needs the network.
os.environ["HF_HUB_OFFLINE"] = "1"
# Where it would be without `_own_cache`.
os.environ.setdefault("HF_HOME", str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface").expanduser()))

import forked
from reference import SHARED, WITHOUT_SHARED
from template import once

from prune_tui import ours

ours.come_first()

import warehouse.store.template  # noqa: E402
from warehouse.importers import import_published  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="run the tests marked slow, too (-m slow: only those)")


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: while one test waits for a process or a dashboard, another can go on."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 2


def pytest_report_header(config: pytest.Config) -> str | None:
    return None if config.getoption("--runslow") else "tests marked slow are left out: --runslow runs them, too"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--runslow"):
        # What has a time limit of its own takes minutes: begun last, all but one worker would wait for it.
        items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all libraries are there to stay: nobody has to look through them for garbage again."""
    gc.freeze()
    atexit.register(gc.unfreeze)  # the interpreter's own last collection: libraries complain of what it leaves


def _owner(config: pytest.Config) -> int:
    """The process that this session ends with: with xdist, the one that started its workers."""
    return getattr(config, "workerinput", {}).get("owner", os.getpid())


def _session_folder(config: pytest.Config) -> Path:
    """A folder of all the processes of this session; its path is short, for a socket's has 108 characters at most."""
    folder = Path(tempfile.gettempdir()) / f"prune-tui-{_owner(config)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class _OfXdist:
    """What xdist asks of the process that starts its workers."""

    @staticmethod
    def pytest_xdist_setupnodes(config: pytest.Config) -> None:
        """Its workers are forked, too, where they will import everything; who records mutants has some of their own."""
        all_of_them = {*config.getini("testpaths")} <= {arg.rstrip("/") for arg in config.args}
        if all_of_them and "MUTANTS_CONFIG" not in os.environ:
            forked.install(_patch, _session_folder(config), os.getpid())

    @staticmethod
    def pytest_configure_node(node: Any) -> None:
        node.workerinput["owner"] = os.getpid()


_patch = pytest.MonkeyPatch()


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.has_plugin("xdist"):
        config.pluginmanager.register(_OfXdist())


def pytest_unconfigure(config: pytest.Config) -> None:
    _patch.undo()
    if _owner(config) == os.getpid():
        shutil.rmtree(_session_folder(config), ignore_errors=True)


@pytest.fixture(scope="session")
def session_folder(pytestconfig: pytest.Config) -> Path:
    return _session_folder(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(session_folder: Path) -> Iterator[None]:
    """The empty database is kept for this session alone, and for all its processes; nobody's settings hold for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(session_folder / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(session_folder / "config"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _forked_processes(_own_cache: None, session_folder: Path, pytestconfig: pytest.Config) -> Iterator[None]:
    """Our own processes are forked from one that has imported what they need; xdist's workers share it."""
    with pytest.MonkeyPatch.context() as patch:
        forked.install(patch, session_folder, _owner(pytestconfig))
        yield


@pytest.fixture(autouse=True)
def _real_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("real_process"):
        forked.shut(monkeypatch)


@pytest.fixture(scope="session")
def study(session_folder: Path) -> Path:
    """A database with the published study. Not to be written to: copy it."""
    return once(session_folder / "study.duckdb", import_published)


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """New databases are made statement by statement, as where no copy can be kept."""
    monkeypatch.setattr(warehouse.store.template, "write", warehouse.store.template.make)


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder beside the repository with the study's own files and whole benchmarks."""
    if not SHARED.is_dir():
        what = request.node.originalname.removeprefix("test_").replace("_", " ")
        pytest.skip(f"{WITHOUT_SHARED} {what}")
    return SHARED
