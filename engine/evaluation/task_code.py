"""What task files from outside lm-eval's package and ours may do to this machine, told from their text alone.

lm-eval's YAML names Python functions (`!function`), and loading such a task runs them. Here the files are read without
running anything, followed through what they include and through the parts of groups. Functions that lm-eval's own
files name are trusted like the rest of lm-eval, whatever documents they are given.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from lm_eval.api.registry import metric_registry
from lm_eval.tasks._index import Entry

from engine.demo.paths import TASKS_DIR
from engine.evaluation.own_modules import with_imported

_FUNCTION = "!function"
_PLAIN = "tag:yaml.org,2002:"
# How fsspec may be told to open data; others unpickle, or run what a file says.
_PROTOCOL = re.compile(r"(\w[\w+.-]*)(?:://|::)")
_PROTOCOLS = frozenset({"file", "gzip", "gs", "hf", "http", "https", "s3", "zip"})
_SAFE = frozenset({"bool", "float", "int", "map", "merge", "null", "seq", "set", "str", "timestamp", "value"})


@dataclass(slots=True)
class TaskCode:
    """`files` are those from outside by their path, with the sha256 of each: YAML, and the modules it names
    with those that they import from beside them.

    `reasons` say what in them is more than text; without any, loading them runs nothing of theirs.
    """

    files: dict[Path, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def hashes(self, folders: Iterable[str]) -> dict[str, str]:
        """The files by their place in the first folder that has them."""
        roots = [Path(folder).resolve() for folder in folders]
        return {_place(path, roots): digest for path, digest in sorted(self.files.items())}


def task_code(index: Mapping[str, Entry], names: Iterable[str]) -> TaskCode:
    """Of the tasks of these names, and of those that they are made of."""
    code, seen, waiting = TaskCode(), set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in index:
            continue
        seen.add(name)
        entry = index[name]
        waiting += sorted(entry.tags) if entry.yaml_path is None else []
        if entry.yaml_path is not None:
            waiting += _read(Path(entry.yaml_path).resolve(), code)
    return code


def _read(path: Path, code: TaskCode) -> list[str]:
    """Take a file in; returns the names of the tasks that it is made of."""
    if not is_outside(path):
        return _parts(yaml.load(path.read_bytes(), Loader=_Loader))
    if path in code.files:
        return []
    try:
        text = path.read_bytes()
        code.files[path] = hashlib.sha256(text).hexdigest()
        functions, strange = _tags(yaml.compose(text, Loader=_Loader))
        content = yaml.load(text, Loader=_Loader)
    except (OSError, yaml.YAMLError, RecursionError) as error:
        code.reasons.append(f"{path.name} cannot be read as plain YAML ({type(error).__name__})")
        return []
    code.reasons += [f"{path.name} runs {function}" for function in functions]
    code.reasons += [f"{path.name} holds {tag}" for tag in strange]
    code.reasons += [f"{path.name} {reason}" for reason in _loads_code(content)]
    for function in functions:
        module = path.parent / f"{function.rpartition('.')[0].replace('.', '/')}.py"
        for own in with_imported(module, path.parent):
            code.files[own] = hashlib.sha256(own.read_bytes()).hexdigest()
    parts = _parts(content)
    for included in _listed(content.get("include") if isinstance(content, dict) else None):
        parts += _read((path.parent / str(included)).resolve(), code)
    return parts


def is_outside(path: Path) -> bool:
    """Whether a file is neither lm-eval's nor ours."""
    return not any(path.is_relative_to(folder) for folder in _OWN)


def _own_folders() -> tuple[Path, ...]:
    spec = find_spec("lm_eval")
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return (TASKS_DIR.resolve(), *(Path(place, "tasks").resolve() for place in places))


_OWN = _own_folders()


class _Loader(yaml.SafeLoader):
    """Reads what a file says; a function stays a name, and a tag of another kind is None."""


_Loader.add_constructor(_FUNCTION, lambda loader, node: str(node.value))
_Loader.add_constructor(None, lambda loader, node: None)  # pyright: ignore[reportArgumentType]


def _tags(root: yaml.Node | None) -> tuple[list[str], list[str]]:
    """The functions that a document names, and its other tags that are not plain data; an alias is looked at once."""
    functions, strange = dict[str, None](), dict[str, None]()
    seen, waiting = set[int](), [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.tag == _FUNCTION:
            functions[str(node.value)] = None
        elif not (node.tag.startswith(_PLAIN) and node.tag.removeprefix(_PLAIN) in _SAFE):
            strange[node.tag] = None
        if isinstance(node, yaml.MappingNode):
            waiting += [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return list(functions), list(strange)


def _loads_code(content: Any) -> Iterator[str]:
    """Settings by which lm-eval and datasets load Python that the file does not name by a tag."""
    for key, value in _entries(content):
        if key == "metric" and isinstance(value, str) and value not in metric_registry:
            yield f"scores by {value}, which evaluate loads as code"
        elif key == "hf_evaluate" and value:
            yield "scores by a metric that evaluate loads as code"
        elif key == "class":
            yield "is a task in Python"
        elif key == "use_prompt" and isinstance(value, str) and ".yaml" in value:
            yield f"takes its prompt from {value}"
        elif key == "dataset_path" and isinstance(value, str) and (value.endswith(".py") or value == "pandas"):
            yield f"has data that {value} loads by code"  # as datasets before 4 and 5 did
        elif key == "trust_remote_code" and value:
            yield "has data that comes with code"
        elif key == "storage_options":
            yield "says how its data are opened (storage_options)"
        elif key in ("dataset_path", "dataset_kwargs"):
            protocols = {found for text in _texts(value) for found in _PROTOCOL.findall(text)}
            yield from (f"has data by {protocol}" for protocol in sorted(protocols - _PROTOCOLS))


def _entries(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every key with its value, however deep; a part that stands in several places is looked at once."""
    seen, waiting = set[int](), [content]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict | list) or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            yield from part.items()
        waiting += part.values() if isinstance(part, dict) else part


def _texts(content: Any) -> list[str]:
    parts = [content, *(value for _, value in _entries(content))]
    return [text for part in parts for text in _listed(part) if isinstance(text, str)]


def _parts(content: Any) -> list[str]:
    named = [value for key, value in _entries(content) if key in ("task", "group")]
    names = [name for value in named for name in _listed(value)]
    return [name for name in names if isinstance(name, str)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _place(path: Path, roots: Iterable[Path]) -> str:
    return next((path.relative_to(root).as_posix() for root in roots if path.is_relative_to(root)), path.name)
