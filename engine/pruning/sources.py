"""Where a model comes from, which revision of it, and a hash of its weights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

from engine.errors import UserError
from engine.planning.model_files import SINGLE_WEIGHTS, config_file, folder_of, is_gguf, local_folder
from engine.planning.suites import DEMO_MODEL

_CONNECT_SECONDS = 10
_TOO_MANY_REQUESTS = 429
_BLOCK = 2**22  # bytes hashed at once


def resolve(model: str) -> str:
    """The folder or hub name that `model` means; "demo" is the model that ships with the program.

    Raises:
        UserError: no such folder, and not a name the hub could have.
    """
    if (folder := local_folder(model)) is not None:
        return folder
    if model == DEMO_MODEL:
        return str(files("engine.demo").joinpath("model"))
    try:
        validate_repo_id(model)
    except HFValidationError as error:
        raise UserError(f"'{model}' is neither a folder here nor a name a model on the hub can have.") from error
    return model


def is_local(source: str) -> bool:
    return Path(source).is_dir() or is_gguf(source)


def fetch_config(source: str, revision: str | None) -> tuple[Path, str | None]:
    """The path of config.json and, for a hub model, the commit that `revision` (default: main) names now.

    Raises:
        UserError: no such model, revision or file, no access to it, or no network.
    """
    if is_local(source):
        return config_file(source), None
    try:
        offline = not is_reachable(source, revision)
        config = huggingface_hub.hf_hub_download(source, "config.json", revision=revision, local_files_only=offline)
    except (EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled) as error:
        raise hub_error(error, source, revision) from error
    return Path(config), Path(config).parent.name


def hub_error(error: Exception, source: str, revision: str | None) -> UserError:
    """One sentence for an exception of huggingface_hub."""
    match error:
        case GatedRepoError():
            return UserError(
                f"{source} is gated: accept its licence at {huggingface_hub.constants.ENDPOINT}/{source}, then log in "
                "with `hf auth login` or set HF_TOKEN."
            )
        case RepositoryNotFoundError():
            return UserError(
                f"There is no folder and no model on the hub named '{source}': check the spelling, or log in with "
                "`hf auth login` if it is private."
            )
        case RevisionNotFoundError():
            return UserError(f"{source} has no revision '{revision}': give a branch, tag or commit of it.")
        case LocalEntryNotFoundError() | OfflineModeIsEnabled():
            return UserError(
                f"There is no folder '{source}', and the hub cannot be reached to look for a model of that name: "
                "check the network (and HF_HUB_OFFLINE), or give a local folder."
            )
        case EntryNotFoundError():
            return UserError(f"{source} on the hub holds no config.json: it is not a transformers checkpoint.")
        case _:
            return UserError(
                f"The hub refused {source}: {_first_line(error)}; check HF_TOKEN, or log in again with `hf auth login`."
            )


def weights_hash(
    source: str, revision: str | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> str | None:
    """sha256 of the weights, equal for a hub model and a copy of it in a folder.

    Of a single file its own sha256; of several the sha256 of the lines `<sha256>  <name>` in order of names.
    `revision` is the commit of a hub model, whose files must be in the cache. None where no weights are found.
    `progress` is told how many bytes are read, and of how many; it may raise to stop.
    """
    paths = weight_files(source, revision)
    unknown = {path: path.stat().st_size for path in paths if _named_by_hash(path) is None}
    digests, read, total = dict[str, str](), 0, sum(unknown.values())
    for path in paths:
        before = read
        digests[path.name] = _sha256(path, lambda done, before=before: progress(before + done, total))
        read += unknown.get(path, 0)
    if len(digests) <= 1:
        return next(iter(digests.values()), None)
    return hashlib.sha256("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()).hexdigest()


def weight_files(source: str, revision: str | None) -> list[Path]:
    """The files that transformers loads the weights from, safetensors first; of a GGUF file itself."""
    if is_gguf(source):
        return [Path(source)]
    for name in SINGLE_WEIGHTS:
        if (single := local_file(source, name, revision)) is not None:
            return [single]
        if (index := local_file(source, f"{name}.index.json", revision)) is not None:
            shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            return [path for shard in shards if (path := local_file(source, shard, revision)) is not None]
    return []


def is_reachable(source: str, revision: str | None) -> bool:
    """Whether the hub answers, asked once and briefly: its clients would retry each file for half a minute.

    Raises:
        EntryNotFoundError: it answers that there is no config.json.
        HfHubHTTPError: it answers that there is no such model or revision, or that this user may not see it.
    """
    url = huggingface_hub.hf_hub_url(source, "config.json", revision=revision)
    try:
        huggingface_hub.get_hf_file_metadata(url, timeout=_CONNECT_SECONDS)
    except EntryNotFoundError:
        raise
    except HfHubHTTPError as error:
        if error.response.status_code < 500 and error.response.status_code != _TOO_MANY_REQUESTS:
            raise
        return False
    except Exception:
        # Out of reach; whose exception says so depends on huggingface_hub's HTTP library.
        return False
    return True


def local_file(source: str, name: str, revision: str | None) -> Path | None:
    """A file of the model that is here; of a hub model it must be in the cache. None where it is not."""
    if is_local(source):
        path = folder_of(source) / name
        return path if path.is_file() else None
    cached = huggingface_hub.try_to_load_from_cache(source, name, revision=revision)
    return Path(cached) if isinstance(cached, str) else None


def _sha256(path: Path, progress: Callable[[int], None]) -> str:
    """`progress` is told how many bytes are read."""
    if (name := _named_by_hash(path)) is not None:
        return name
    digest, buffer, done = hashlib.sha256(), memoryview(bytearray(_BLOCK)), 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            progress(done)
    return digest.hexdigest()


def _named_by_hash(path: Path) -> str | None:
    """The hub's cache names a large file's blob by its sha256, which saves reading gigabytes."""
    name = path.resolve().name
    return name if path.is_symlink() and re.fullmatch(r"[0-9a-f]{64}", name) else None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
