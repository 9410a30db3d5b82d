"""What the base model's own card says that its pruned children have to say, too: the licence and the languages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
from huggingface_hub import ModelCard
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled

from engine.pruning.sources import is_local, is_reachable, local_file

_LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt", "USE_POLICY.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseCard:
    """As the front matter has it; `files` are licences that come with the weights."""

    licence: str | None = None
    licence_name: str | None = None
    licence_link: str | None = None
    language: list[str] | None = None
    files: tuple[Path, ...] = ()


def base_card(source: str, revision: str | None) -> BaseCard:
    """That of a folder, or of a hub model as far as the hub answers; empty where it has none that can be read."""
    if not is_local(source) and is_reachable(source, revision):
        for name in ("README.md", *_LICENCE_FILES):
            with suppress(EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled):  # most have only some of them
                huggingface_hub.hf_hub_download(source, name, revision=revision)
    files = tuple(path for name in _LICENCE_FILES if (path := local_file(source, name, revision)) is not None)
    readme = local_file(source, "README.md", revision)
    if readme is None:
        return BaseCard(files=files)
    data = ModelCard.load(readme, ignore_metadata_errors=True).data
    language = data.get("language")
    return BaseCard(
        licence=data.get("license"),
        licence_name=data.get("license_name"),
        licence_link=data.get("license_link"),
        language=[language] if isinstance(language, str) else language,
        files=files,
    )
