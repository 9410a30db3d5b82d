"""For mkdocs: pages that lie above docs/ are brought in, and links to files that are no page become their names."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
# Where a page of the repository stands in the site, if not in docs/.
ABOVE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_LINK = re.compile(r"(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?P<to>[^)\s#]*)(?P<at>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    for name, there in ABOVE.items():
        files.append(File.generated(config, there, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    there = {where: name for name, where in ABOVE.items()}.get(page.file.src_uri)
    return linked(markdown, there or f"docs/{page.file.src_uri}")


def linked(markdown: str, source: str) -> str:
    """The text of the repository's page `source`, with links as they are in the site."""
    return _LINK.sub(lambda link: _as_in_the_site(link, source), markdown)


def _as_in_the_site(link: re.Match[str], source: str) -> str:
    to = link["to"]
    if not to or re.match(r"\w+:", to):
        return link[0]
    target = os.path.normpath(PurePosixPath(source).parent / to)
    if (ROOT / target).is_dir():
        target = f"{target}/README.md" if (ROOT / target / "README.md").is_file() else target
    if target not in ABOVE and not (target.startswith("docs/") and (ROOT / target).is_file()):
        return link["text"]
    return f"{link['mark']}[{link['text']}]({os.path.relpath(_place(target), _folder(source))}{link['at'] or ''})"


def _place(target: str) -> str:
    return ABOVE.get(target) or target.removeprefix("docs/")


def _folder(source: str) -> str:
    return str(PurePosixPath(_place(source)).parent)
