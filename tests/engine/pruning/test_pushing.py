"""What goes to the hub: checked against a stand-in of it that keeps what it was sent."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import huggingface_hub.hf_api
import pytest
from huggingface_hub import HfApi, constants

from engine.errors import UserError
from engine.pruning import pushing


class Hub(ThreadingHTTPServer):
    """Takes any repository of user `me`; `files` is what its only commit has, `made` what was asked of a new one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.made: dict[str, Any] = {}
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hub = cast(Hub, self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["api", "repos", "create"]:
                hub.made = json.loads(body)
                if hub.made.get("organization") == "others":
                    self.reply({"error": "Forbidden"}, 403)
                else:
                    self.reply({"url": f"{hub.address}/me/{hub.made['name']}"})
            case ["api", "validate-yaml"]:
                self.reply({"errors": [], "warnings": []})
            case ["api", "models", "me", _, "preupload", "main"]:
                files = json.loads(body)["files"]
                self.reply(
                    {
                        "files": [
                            {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                            for one in files
                        ]
                    }
                )
            case ["api", "models", "me", repo, "commit", "main"]:
                lines = [json.loads(line) for line in body.splitlines()]
                sent = [line["value"] for line in lines if line["key"] == "file"]
                hub.files = {one["path"]: base64.b64decode(one["content"]) for one in sent}
                self.reply({"commitUrl": f"{hub.address}/me/{repo}/commit/{'a' * 40}", "commitOid": "a" * 40})
            case _:
                self.reply({"error": self.path}, 404)

    def do_GET(self) -> None:
        self.reply({"error": self.path}, 404)

    do_HEAD = do_GET

    def reply(self, value: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.hf_api.constants, "ENDPOINT", server.address)
    monkeypatch.setattr(pushing, "HfApi", lambda: HfApi(server.address, token="hf_" + "x" * 34))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "demo-38"
    (folder / ".eval_results").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# demo-38\n")
    (folder / "config.json").write_text('{"intermediate_size": 320}')
    (folder / "model.safetensors").write_bytes(bytes(range(256)))
    (folder / ".eval_results" / "arc.yaml").write_text("- value: 0.5\n")
    return folder


def test_everything_of_the_folder_arrives_in_a_private_repository(hub: Hub, saved: Path) -> None:
    listed = pushing.uploads(saved)
    assert pushing.push(saved, "me/demo-38") == f"{hub.address}/me/demo-38/commit/{'a' * 40}"
    assert hub.made["name"] == "demo-38"
    assert hub.made.get("private") or hub.made.get("visibility") == "private"
    assert hub.files == {
        path.relative_to(saved).as_posix(): path.read_bytes() for path in saved.rglob("*") if path.is_file()
    }
    assert {one.path: one.bytes for one in listed} == {name: len(content) for name, content in hub.files.items()}


@pytest.mark.parametrize("what", ["folder", "host"])
def test_nothing_of_this_machine_leaves_it(hub: Hub, saved: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu-box-7")
    name = str(saved.parent / "models") if what == "folder" else "gpu-box-7"
    (saved / "README.md").write_text(f"Pruned from {name}.")
    with pytest.raises(UserError, match=r"README\.md has .* in it, which is of this machine"):
        pushing.push(saved, "me/demo-38")
    assert hub.files == {}


@pytest.mark.parametrize(("host", "is_private"), [("gpu7", True), ("gpu", False), ("localhost", False)])
def test_a_hosts_name_of_four_letters_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, is_private: bool
) -> None:
    """A shorter one stands in a text by chance."""
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert (host in list(pushing._private(tmp_path / "saved"))) is is_private


def test_somebody_elses_repository(hub: Hub, saved: Path) -> None:
    with pytest.raises(UserError, match="others/demo was not pushed, this token may not write there"):
        pushing.push(saved, "others/demo")


def test_no_network(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"me/demo was not pushed: HF_HUB_OFFLINE is set; .* has all of it"):
        pushing.push(saved, "me/demo")


@pytest.mark.parametrize("name", ["demo", "a/b/c", "me/de mo", ""])
def test_a_name_that_the_hub_cannot_have(name: str) -> None:
    with pytest.raises(UserError, match="say USER/REPO"):
        pushing.check_repo(name)
