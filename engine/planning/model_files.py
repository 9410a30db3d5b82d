"""A model's folder, looked at without torch or transformers: what is wrong is told before anything slow begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from engine.errors import UserError
from engine.planning.suites import DEMO_MODEL

SINGLE_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""A checkpoint's weights in one file, or with `.index.json` the list of the files that they are in."""
_MOST_LAYERS = 10_000  # transformers makes lists of that length before anything is checked
_LENGTH = 8  # bytes of a safetensors file that say how long its header is
_LONGEST_HEADER = 100_000_000  # bytes; safetensors reads no longer one


def check(model: str, *, trust_remote_code: bool) -> None:
    """What can be told of a model by its files alone, where they are in a folder: of others nothing is said.

    Raises:
        UserError: it is no folder, or one that no model can be loaded from; a worker would say the same later.
    """
    source = local_folder(model)
    if source is None:
        return
    entries = read_config(source, config_file(source))
    refuse_unknown_type(source, entries, trust_remote_code, known=_may_be_known)
    _check_weights(source)


def local_folder(model: str) -> str | None:
    """The folder or GGUF file that `model` names; None for a name on the hub, and for the demo.

    Raises:
        UserError: it can only be meant as a folder, and there is none.
    """
    path = Path(model).expanduser()
    if path.is_dir() or is_gguf(path):
        return str(path)
    if path.is_file():
        raise UserError(f"{model} is a file: give the folder that holds config.json and the weights.")
    if model != DEMO_MODEL and (model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model):
        raise UserError(f"There is no folder {model}: check the path.")
    return None


def is_gguf(path: str | Path) -> bool:
    """Whether it is a file of llama.cpp's form; what is needed beside its weights lies in its folder."""
    return str(path).endswith(".gguf") and Path(path).is_file()


def folder_of(source: str) -> Path:
    """The folder of a model's config and tokenizer: `source` itself, or the one that a GGUF file is in."""
    return Path(source).parent if is_gguf(source) else Path(source)


def config_file(source: str) -> Path:
    """Raises:
    UserError: the folder has none.
    """
    if not (config := folder_of(source) / "config.json").is_file():
        if is_gguf(source):
            raise UserError(
                f"There is no config.json beside {source}: a GGUF file is read where `prune-tui save --gguf` wrote it, "
                "with config and tokenizer."
            )
        raise UserError(f"{source} holds no config.json: give the folder of a transformers checkpoint.")
    return config


def read_config(source: str, path: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        UserError: it cannot be a model's, or asks for what is not done here.
    """
    try:
        entries: Any = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise UserError(f"{source}: config.json is nested too deeply to be a model's; get the file again.") from error
    except ValueError as error:
        raise UserError(f"{source}: config.json is not valid JSON; get the file again.") from error
    if not isinstance(entries, dict):
        raise UserError(f"{source}: config.json holds no entries, but a {_kind(entries)}; get the file again.")
    known = cast(dict[str, Any], entries)
    for name, value in _entries(known):
        if "layers" in name and isinstance(value, int) and value > _MOST_LAYERS:
            raise UserError(
                f"{source}: config.json asks for {value} layers ({name}), which no model has: get it again."
            )
        if "implementation" in name and isinstance(value, str) and "/" in value:
            raise UserError(
                f"{source}: config.json takes a kernel from the hub ({name}: {value}), which is code: take that entry "
                "out, and attention is computed by what is installed."
            )
    return known


def _kind(value: object) -> str:
    return type(value).__name__


def refuse_unknown_type(
    source: str, entries: dict[str, Any], trust_remote_code: bool, *, known: Callable[[str], bool]
) -> None:
    """`known` tells of a model type whether transformers has it.

    Raises:
        UserError: transformers does not, or only with code of the model's own that is not trusted.
    """
    model_type = entries.get("model_type")
    if model_type is not None and not isinstance(model_type, str):
        raise UserError(f"{source}: model_type in config.json is no name, but {model_type!r:.40}; get the file again.")
    if (model_type is not None and known(model_type)) or (entries.get("auto_map") and trust_remote_code):
        return
    if entries.get("auto_map"):
        raise UserError(
            f"{source} (model type '{model_type}') needs Python code of its own: read it, and add "
            "--trust-remote-code if you trust it."
        )
    if model_type is None:
        raise UserError(f"{source}: config.json names no model_type, so it is not a transformers checkpoint.")
    raise UserError(
        f"{source} has model type '{model_type}', which the installed transformers does not know: upgrade "
        "transformers or choose another model."
    )


def _may_be_known(model_type: str) -> bool:
    """Whether transformers names it in the files that have all its model types, which are read as text."""
    spec = find_spec("transformers")
    places = spec.submodule_search_locations if spec is not None else None
    texts: list[str] = []
    for place in places or ():
        for name in ("auto_mappings.py", "configuration_auto.py"):
            with suppress(OSError):
                texts.append(Path(place, "models", "auto", name).read_text(encoding="utf-8"))
    return not texts or any(f'"{model_type}"' in text for text in texts)


def _check_weights(source: str) -> None:
    """Raises:
    UserError: no file has them, or one is cut short or no safetensors file.
    """
    if is_gguf(source):
        with Path(source).open("rb") as file:
            if file.read(4) != b"GGUF":
                raise UserError(f"{source} is no GGUF file, whatever its name: get it again.")
        return
    listed: set[str] = set()
    for name in SINGLE_WEIGHTS:
        if Path(source, name).is_file():
            listed = {name}
            break
        index = Path(source, f"{name}.index.json")
        if index.is_file():
            with suppress(ValueError, KeyError, TypeError, AttributeError):  # transformers says it of the index
                listed = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            break
    for name in sorted(listed):
        file = Path(source, name)
        if name.endswith(".safetensors") and file.is_file() and (wrong := _wrong_with(file)) is not None:
            raise UserError(
                f"The weights of {source} cannot be read ({name}: {wrong}): the file is damaged or cut short, get it "
                "again."
            )


def _wrong_with(file: Path) -> str | None:
    """What tells, by its header and its length, that a safetensors file is none, or not whole."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
        if not 0 < length <= min(_LONGEST_HEADER, size - _LENGTH):
            return "it has no header"
        try:
            header = json.loads(opened.read(length))
            ends = [about["data_offsets"][1] for name, about in header.items() if name != "__metadata__"]
            needed = _LENGTH + length + max(ends, default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            return "its header cannot be read"
    return None if size == needed else f"{size:,} bytes of {needed:,}"


def _entries(entries: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every entry, also of the configs inside, by its path."""
    waiting: list[tuple[str, Any]] = [("", entries)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            parts = cast(dict[str, Any], value)
            waiting += [(f"{path}.{name}".lstrip("."), part) for name, part in parts.items()]
        else:
            yield path, value
