"""A saved checkpoint on the hub: what would be uploaded, whether it tells of this machine, and the upload."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id

from engine.errors import UserError

# Written here, or from what was written here; a tokenizer's files are other people's.
_OURS = re.compile(r".*\.(md|yaml|html)|(config|generation_config|prune_tui|.*certificate)\.json")
_SHORTEST = 4  # of a host's name: a shorter one stands in a text by chance


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it would be there; `bytes` is its size."""

    path: str
    bytes: int


def check_repo(repo: str) -> None:
    """Raises:
    UserError: the hub has no names like this for a user's model.
    """
    try:
        validate_repo_id(repo)
        if repo.count("/") != 1:
            raise HFValidationError
    except HFValidationError as error:
        raise UserError(f"'{repo}' is no name of a model on the hub: say USER/REPO.") from error


def uploads(folder: Path) -> list[Upload]:
    """What `push` would upload, in order of names.

    Raises:
        UserError: a file of it has a path or the name of this machine in it.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        if _OURS.fullmatch(path.name):
            text = path.read_text(encoding="utf-8", errors="replace")
            if (found := next((name for name in _private(folder) if _stands_in(name, text)), None)) is not None:
                raise UserError(
                    f"{path.name} has {found} in it, which is of this machine and nobody else's business: take it out "
                    "of the file, and push the folder with `hf upload`."
                )
    return [Upload(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths]


def push(folder: Path, repo: str) -> str:
    """Uploads the folder in one commit, and returns its address. A repository that is not there is made, private.

    Raises:
        UserError: the hub refuses, or cannot be reached; or as `uploads`.
    """
    uploads(folder)
    api = HfApi()
    try:
        api.create_repo(repo, private=True, exist_ok=True)
        commit = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Pruned with prune-tui")
    except OfflineModeIsEnabled as error:
        raise UserError(f"{repo} was not pushed: HF_HUB_OFFLINE is set; {folder} has all of it.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        why = {
            401: "nobody is logged in: `hf auth login`, or set HF_TOKEN",
            403: "this token may not write there: give one with write access, or another USER",
        }.get(status, " ".join(str(error).split())[:200].rstrip("."))
        raise UserError(f"{repo} was not pushed, {why}; {folder} has all of it.") from error
    except (OSError, requests.RequestException) as error:
        raise UserError(f"{repo} was not pushed: the hub cannot be reached; {folder} has all of it.") from error
    return str(commit.commit_url)


def _private(folder: Path) -> Iterator[str]:
    """Paths and names that say whose machine this is."""
    for path in (folder.resolve().parent, Path.cwd(), Path.home()):
        if len(path.parts) > 1:
            yield str(path)
    host = socket.gethostname()
    if len(host) >= _SHORTEST and host != "localhost":
        yield host


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None
