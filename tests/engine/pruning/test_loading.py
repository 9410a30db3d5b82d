"""Models are loaded from folders and from the hub; what the user can mend is said in one sentence."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import torch
from huggingface_hub import HfApi, constants
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import hub as hub_utils

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.pruning import loading
from engine.pruning.loading import (
    inspect,
    load_config,
    load_model,
    resolve,
    resolve_device,
    resolve_dtype,
    weights_hash,
)

CPU = torch.device("cpu")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MakeModel = Callable[..., PreTrainedModel]
SaveCheckpoint = Callable[..., Path]


@pytest.fixture
def folder(make_model: MakeModel, save_checkpoint: SaveCheckpoint) -> Path:
    return save_checkpoint(make_model("llama", torch.bfloat16))


def load(source: Path | str, **options: Any) -> PreTrainedModel:
    return load_model(str(source), **{"dtype": torch.float32, "device": CPU} | options)[0]


def edit_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


class TestFolders:
    def test_a_checkpoint_is_judged_without_its_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        checkpoint = inspect(str(folder))
        assert (checkpoint.source, checkpoint.revision) == (str(folder), None)
        assert checkpoint.shape.intermediate_size == 88

    def test_a_model_is_loaded_ready_to_evaluate(self, folder: Path, prompt: torch.Tensor) -> None:
        model, tokenizer = load_model(str(folder), dtype=torch.float32, device=CPU)
        assert not model.training
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert tokenizer("A B").input_ids == [4, 5]
        expected = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        with torch.no_grad():
            assert torch.equal(model(prompt).logits, expected(prompt).logits)

    def test_the_checkpoints_own_dtype_can_be_kept(self, folder: Path) -> None:
        assert load(folder, dtype="auto").dtype == torch.bfloat16

    def test_a_real_model_loads(self) -> None:
        assert inspect(str(MODEL_DIR)).shape.parameters == load(MODEL_DIR).num_parameters() == 1_558_144

    def test_the_demo_model_needs_no_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert Path(resolve("demo")).parts[-3:] == ("engine", "demo", "model")
        (tmp_path / "demo").mkdir()
        assert resolve("demo") == "demo"

    def test_a_missing_folder(self) -> None:
        with pytest.raises(UserError, match=r"There is no folder \./nowhere: check the path"):
            inspect("./nowhere")

    def test_a_file_instead_of_a_folder(self, folder: Path) -> None:
        with pytest.raises(UserError, match="is a file: give the folder"):
            inspect(str(folder / "model.safetensors"))

    def test_a_name_the_hub_cannot_have(self) -> None:
        with pytest.raises(UserError, match="'my model!' is neither a folder here nor a name"):
            inspect("my model!")

    def test_no_config(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"holds no config\.json"):
            inspect(str(tmp_path))

    def test_a_config_that_is_not_json(self, folder: Path) -> None:
        (folder / "config.json").write_text("{oops")
        with pytest.raises(UserError, match=r"config\.json is not valid JSON"):
            inspect(str(folder))

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[1, 2]", "holds no entries, but a list"),
            ('"llama"', "holds no entries, but a str"),
            ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested too deeply"),
            ('{"model_type": ["llama"]}', "model_type in config.json is no name"),
            (b"\xff\xfe\x00", "not valid JSON"),
        ],
        ids=["list", "text", "deep", "type", "bytes"],
    )
    def test_a_config_of_another_form(self, folder: Path, text: str | bytes, sentence: str) -> None:
        (folder / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(UserError, match=sentence):
            inspect(str(folder))

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"num_hidden_layers": 10**9}, r"asks for 1000000000 layers \(num_hidden_layers\)"),
            ({"text_config": {"num_hidden_layers": 10**9}}, r"layers \(text_config\.num_hidden_layers\)"),
            ({"attn_implementation": "who/kernel"}, r"a kernel from the hub \(attn_implementation: who/kernel\)"),
            ({"_attn_implementation": {"text_config": "who/kernel"}}, "a kernel from the hub"),
            ({"hidden_act": "sulu"}, r"no model can be built from config\.json \(KeyError: .*sulu"),
            ({"intermediate_size": -5}, "no model can be built .*negative dimension"),
            ({"num_attention_heads": 0}, r"config\.json cannot be used|no model can be built"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_config_that_no_model_can_be_built_from(
        self, folder: Path, changes: dict[str, Any], sentence: str
    ) -> None:
        edit_config(folder, **changes)
        with pytest.raises(UserError, match=sentence):
            inspect(str(folder))

    def test_a_config_with_a_wrong_value(self, folder: Path) -> None:
        edit_config(folder, hidden_size="wide")
        with pytest.raises(UserError, match=r"config\.json cannot be used: .*hidden_size"):
            inspect(str(folder))

    def test_a_config_without_a_model_type(self, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        with pytest.raises(UserError, match="names no model_type"):
            inspect(str(folder))

    def test_an_unknown_model_type(self, folder: Path) -> None:
        edit_config(folder, model_type="llama99")
        with pytest.raises(UserError, match="model type 'llama99', which the installed transformers does not know"):
            inspect(str(folder))

    def test_code_of_its_own_is_not_run_unasked(self, folder: Path) -> None:
        edit_config(folder, model_type="odd", auto_map={"AutoConfig": "odd.OddConfig"})
        (folder / "odd.py").write_text("raise SystemExit('ran')")
        with pytest.raises(UserError, match="needs Python code of its own: read it, and add --trust-remote-code"):
            inspect(str(folder))

    def test_a_model_that_cannot_be_pruned(self, folder: Path) -> None:
        edit_config(folder, model_type="gpt2", architectures=["GPT2LMHeadModel"])
        with pytest.raises(UserError, match="Model type 'gpt2' has no GLU MLPs to prune"):
            inspect(str(folder))

    def test_no_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        with pytest.raises(UserError, match=r"The weights of .* cannot be loaded: Error no file named model"):
            load(folder)

    def test_no_tokenizer(self, folder: Path) -> None:
        for path in folder.glob("*token*"):
            path.unlink()
        with pytest.raises(UserError, match="has no tokenizer that can be loaded"):
            load(folder)

    @pytest.mark.parametrize("size", [0, 5, 2000, -10])
    def test_weights_cut_short(self, folder: Path, size: int) -> None:
        weights = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(weights[:size])
        with pytest.raises(UserError, match=r"The weights of .* cannot be read \(.+\): .* get it again\.$"):
            load(folder)

    def test_a_damaged_pickle(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(b"not a pickle")
        with pytest.raises(UserError, match=r"The weights of .* cannot be read \(.+\): .* get it again\.$"):
            load(folder)

    def test_weights_that_lack_tensors_are_not_made_up(
        self, make_model: MakeModel, save_checkpoint: SaveCheckpoint
    ) -> None:
        model = make_model("llama")
        state = {name: tensor for name, tensor in model.state_dict().items() if ".layers.2.mlp." not in name}
        folder = save_checkpoint(model)
        model.save_pretrained(folder, state_dict=state)
        with pytest.raises(UserError, match=r"its weights lack model\.layers\.2\.mlp\.down_proj\.weight and 2 more"):
            load(folder)

    def test_weights_of_another_shape(self, folder: Path) -> None:
        edit_config(folder, intermediate_size=90)
        with pytest.raises(UserError, match=r"have other shapes than its config\.json says") as refused:
            load(folder)
        assert "\n" not in str(refused.value)

    def test_weights_with_nan(self, make_model: MakeModel, save_checkpoint: SaveCheckpoint) -> None:
        model = make_model("mistral")
        model.get_parameter("model.layers.1.mlp.gate_proj.weight")[0, 0] = float("nan")
        with pytest.raises(UserError, match=r"model\.layers\.1\.mlp\.gate_proj\.weight contain NaN"):
            load(save_checkpoint(model))


class TestWeightsHash:
    def test_of_one_file_it_is_the_files_own(self, folder: Path) -> None:
        expected = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        assert weights_hash(str(folder), None) == expected

    def test_of_several_files_it_covers_all(self, make_model: MakeModel, tmp_path: Path) -> None:
        model = make_model("llama")
        model.save_pretrained(tmp_path, max_shard_size="40KB")
        assert len(list(tmp_path.glob("*.safetensors"))) > 1
        before = weights_hash(str(tmp_path), None)
        assert before == weights_hash(str(tmp_path), None)
        model.get_parameter("model.norm.weight")[0] += 1
        model.save_pretrained(tmp_path, max_shard_size="40KB")
        assert weights_hash(str(tmp_path), None) != before

    def test_it_tells_how_far_it_is_over_all_files_and_can_be_stopped(
        self, make_model: MakeModel, tmp_path: Path
    ) -> None:
        make_model("llama").save_pretrained(tmp_path, max_shard_size="40KB")
        sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.safetensors"))]
        told: list[tuple[int, int]] = []
        weights_hash(str(tmp_path), None, lambda done, total: told.append((done, total)))
        assert told == [(sum(sizes[: count + 1]), sum(sizes)) for count in range(len(sizes))]

        def stop(done: int, total: int) -> None:
            raise KeyError

        with pytest.raises(KeyError):
            weights_hash(str(tmp_path), None, stop)

    def test_without_weights_there_is_none(self, tmp_path: Path) -> None:
        assert weights_hash(str(tmp_path), None) is None


class TestDevices:
    def test_auto_takes_the_best_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        assert resolve_device("auto") == CPU
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        assert resolve_device("auto") == torch.device("mps")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        assert resolve_device("auto") == torch.device("cuda")
        assert resolve_device("cuda:1") == torch.device("cuda:1")
        with pytest.raises(UserError, match="There is no GPU 2: this machine has 2, counted from cuda:0"):
            resolve_device("cuda:2")

    def test_an_absent_gpu_is_not_replaced_silently(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        with pytest.raises(UserError, match="CUDA was asked for, but torch sees no GPU"):
            resolve_device("cuda")
        with pytest.raises(UserError, match=r"Apple's GPU \(mps\) was asked for"):
            resolve_device("mps")

    def test_the_gpu_that_was_asked_for_becomes_the_current_one(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Streams, events and Triton's kernels go to the current one, and would not wait for another's work."""
        chosen: list[torch.device] = []
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        monkeypatch.setattr(loading, "is_accelerate_available", lambda: False)
        monkeypatch.setattr(PreTrainedModel, "to", lambda model, device: model)
        load(folder, device=torch.device("cuda"))
        assert not chosen
        load(folder, device=torch.device("cuda:1"))
        assert chosen == [torch.device("cuda:1")]

    @pytest.mark.parametrize("device", ["gpu", "tpu:0", "meta", ""])
    def test_an_unknown_device(self, device: str) -> None:
        with pytest.raises(UserError, match=f"There is no device '{device}': choose auto, cpu"):
            resolve_device(device)

    def test_auto_dtype_is_the_checkpoints_own_except_on_a_cpu(self, folder: Path) -> None:
        config, _ = load_config(str(folder))
        assert resolve_dtype("auto", config, CPU) == torch.float32
        assert resolve_dtype("auto", config, torch.device("cuda")) == torch.bfloat16
        assert resolve_dtype("float16", config, CPU) == torch.float16
        with pytest.raises(UserError, match="There is no dtype 'int4'"):
            resolve_dtype("int4", config, CPU)


class Hub(ThreadingHTTPServer):
    """A stand-in for the hub: lab/tiny is a public model, lab/gated gated, lab/bare has no config."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.files: Path | None = None
        """What lab/tiny holds; None hangs up on everybody."""
        self.requests: list[str] = []


class HubHandler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        hub = cast(Hub, self.server)
        hub.requests.append(self.path)
        if (files := hub.files) is None:
            return
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["lab", "gated", *_]:
                self.reply(403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."})
            case ["lab", "broken", *_]:
                self.reply(500, {"X-Error-Message": "Out of order."})
            case ["lab", "mine", *_]:
                self.reply(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
            case ["lab", "tiny" | "bare", "resolve", revision, _] if revision not in ("main", COMMIT):
                self.reply(404, {"X-Error-Code": "RevisionNotFound"})
            case ["lab", "tiny", "resolve", _, name] if (files / name).is_file():
                content = (files / name).read_bytes()
                etag = hashlib.sha256(content).hexdigest()
                self.reply(200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, content, body)
            case ["lab", "tiny" | "bare", "resolve", _, _]:
                self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            case ["api", "models", "lab", "tiny", "tree", _]:
                entries = [
                    {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0" * 40}
                    for path in files.iterdir()
                ]
                self.reply(200, {"Content-Type": "application/json"}, json.dumps(entries).encode(), body)
            case ["api", "models", "lab", "tiny", "tree", *_]:
                self.reply(404, {"X-Error-Code": "EntryNotFound"})
            case _:
                self.reply(404, {"X-Error-Code": "RepoNotFound"})

    def reply(self, status: int, headers: dict[str, str], content: bytes = b"", body: bool = False) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class TestHub:
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[Hub]:
        server = Hub()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    @pytest.fixture(autouse=True)
    def hub(self, server: Hub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
        server.files = folder
        server.requests.clear()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub_utils, "hf_api", lambda: HfApi(endpoint))
        monkeypatch.chdir(tmp_path)
        return server

    def test_a_model_is_loaded_from_the_commit_that_was_inspected(self, folder: Path) -> None:
        checkpoint = inspect("lab/tiny")
        assert (checkpoint.source, checkpoint.revision) == ("lab/tiny", COMMIT)
        assert load("lab/tiny", revision=COMMIT).num_parameters() == checkpoint.shape.parameters
        assert weights_hash("lab/tiny", COMMIT) == weights_hash(str(folder), None)

    def test_a_model_in_the_cache_needs_no_network(self, hub: Hub) -> None:
        inspect("lab/tiny")
        load("lab/tiny", revision=COMMIT)
        hub.files = None
        hub.requests.clear()
        assert inspect("lab/tiny").revision == COMMIT
        load("lab/tiny", revision=COMMIT)
        assert set(hub.requests) == {"/lab/tiny/resolve/main/config.json", f"/lab/tiny/resolve/{COMMIT}/config.json"}

    def test_a_model_that_does_not_exist(self) -> None:
        with pytest.raises(UserError, match="There is no folder and no model on the hub named 'lab/missing'"):
            inspect("lab/missing")

    def test_a_gated_model(self) -> None:
        with pytest.raises(
            UserError, match=r"lab/gated is gated: accept its licence at .*/lab/gated, then log in with"
        ):
            inspect("lab/gated")

    def test_a_token_that_is_not_valid(self) -> None:
        with pytest.raises(UserError, match=r"The hub refused lab/mine: .*401.* log in again with `hf auth login`"):
            inspect("lab/mine")

    def test_a_revision_that_does_not_exist(self) -> None:
        with pytest.raises(UserError, match="lab/tiny has no revision 'v9'"):
            inspect("lab/tiny", revision="v9")

    def test_a_repository_without_a_config(self) -> None:
        with pytest.raises(UserError, match=r"lab/bare on the hub holds no config\.json"):
            inspect("lab/bare")

    def test_a_hub_out_of_order(self) -> None:
        with pytest.raises(UserError, match="the hub cannot be reached"):
            inspect("lab/broken")

    def test_a_repository_without_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        with pytest.raises(UserError, match="weights of lab/tiny cannot be loaded: lab/tiny does not appear to have"):
            load("lab/tiny", revision=COMMIT)

    def test_no_network(self, hub: Hub) -> None:
        hub.files = None
        with pytest.raises(UserError, match="There is no folder 'lab/tiny', and the hub cannot be reached"):
            inspect("lab/tiny")

    def test_offline_mode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(UserError, match=r"the hub cannot be reached .* check the network"):
            inspect("lab/tiny")
