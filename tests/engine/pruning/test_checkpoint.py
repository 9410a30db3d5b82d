"""Saved levels equal OptiPFair 0.4.2's bit for bit, load like any checkpoint, and never appear half-written."""

from __future__ import annotations

import copy
import errno
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import one_in
from huggingface_hub import ModelCard
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from engine.errors import UserError
from engine.pruning.card_results import CardResults
from engine.pruning.checkpoint import prune, save_level
from engine.pruning.glu import find_glu_mlps
from engine.pruning.identity import config_hash, tokenizer_hash
from engine.pruning.importance import load_method
from engine.pruning.ladder import Ladder
from engine.pruning.loading import weights_hash
from warehouse.checkpoints import FILE_NAME, read_record
from warehouse.records.level import Level

MakeModel = Callable[..., PreTrainedModel]
SaveCheckpoint = Callable[..., Path]
DTYPES = [torch.float32, torch.bfloat16]
PERCENTAGES = [10, 20, 30, 40, 50, 60]
METHODS = ["maw", "vow", "pon", "l2"]
# Those that OptiPFair can prune: it knows neither fused projections nor nested language models.
FAMILIES = ["llama", "llama-biases", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "smollm3"]


@pytest.fixture(scope="module")
def optipfair() -> Callable[..., PreTrainedModel]:
    return pytest.importorskip("optipfair.pruning.mlp_glu").prune_model_mlp_glu


def without_ties(make_model: MakeModel, family: str, dtype: torch.dtype, method: str) -> PreTrainedModel:
    """A random model in which no boundary of the levels falls between equal scores, where topk may choose freely."""
    for seed in range(200):
        model = make_model(family, dtype, seed)
        if not has_boundary_ties(model, method):
            return model
    raise AssertionError(f"no {family} model without ties at the boundaries was found")


def has_boundary_ties(model: PreTrainedModel, method: str) -> bool:
    for mlp in find_glu_mlps(model):
        scores = load_method(method)(mlp.layer_for(0)).sort(descending=True).values
        widths = [Level("pct", pct).intermediate_size(len(scores), 32) for pct in PERCENTAGES]
        if any(scores[width - 1] == scores[width] for width in widths):
            return True
    return False


def grid() -> list[Any]:
    """Every family by every method in every dtype; fast are each family once, and each method in each dtype once."""
    fast = {(family, METHODS[at % len(METHODS)], torch.float32) for at, family in enumerate(FAMILIES)}
    fast |= {("qwen3", method, dtype) for method in METHODS for dtype in DTYPES}
    return [
        pytest.param(*case, marks=() if case in fast else pytest.mark.slow, id="-".join(map(str, case)))
        for case in itertools.product(FAMILIES, METHODS, DTYPES)
    ]


@pytest.mark.parametrize(("family", "method", "dtype"), grid())
def test_the_same_neurons_and_weights_as_optipfair(
    optipfair: Any, make_model: MakeModel, family: str, method: str, dtype: torch.dtype
) -> None:
    model = without_ties(make_model, family, dtype, method)
    assert not has_boundary_ties(model, method)
    ladder = Ladder(copy.deepcopy(model), method=method, seed=0)
    for pct in PERCENTAGES:
        theirs = optipfair(
            copy.deepcopy(model), neuron_selection_method=method.upper(), pruning_percentage=pct, show_progress=False
        )
        width = Level("pct", pct).intermediate_size(88, 32)
        ours = copy.deepcopy(model)
        prune(ours, width, method=method, seed=0)
        assert ours.config.intermediate_size == theirs.config.intermediate_size == width
        assert ours.num_parameters() == theirs.num_parameters()
        same_tensors(ours.state_dict(), theirs.state_dict())
        for before, after in zip(find_glu_mlps(model), find_glu_mlps(theirs), strict=True):
            kept = ladder.kept(before.layer, width)
            assert torch.equal(before.gate_and_up[0][kept], after.gate_and_up[0])
            assert torch.equal(before.down.weight[:, kept], after.down.weight)


@pytest.mark.parametrize("dtype", one_in(2, DTYPES), ids=str)
@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2"])
def test_saved_files_equal_optipfairs(
    optipfair: Any, make_model: MakeModel, save_checkpoint: SaveCheckpoint, tmp_path: Path, family: str,
    dtype: torch.dtype,
) -> None:  # fmt: skip
    model = without_ties(make_model, family, dtype, "maw")
    source = save_checkpoint(model)
    for pct in PERCENTAGES:
        optipfair(copy.deepcopy(model), pruning_percentage=pct, show_progress=False).save_pretrained(
            tmp_path / "theirs"
        )
        saved = save_level(str(source), level=Level("pct", pct), method="maw", to=tmp_path / f"ours-{pct}")
        theirs = load_file(tmp_path / "theirs" / "model.safetensors")
        same_tensors(load_file(saved.path / "model.safetensors"), theirs)
        assert saved.parameters == sum(tensor.numel() for tensor in theirs.values())
        assert saved.bytes == sum(tensor.nbytes for tensor in theirs.values())


@pytest.mark.parametrize("family", one_in(2, [*FAMILIES, "phi3", "gemma3-multimodal"]))
def test_a_saved_level_loads_and_computes_what_the_ladder_does(
    make_model: MakeModel, save_checkpoint: SaveCheckpoint, tmp_path: Path, prompt: torch.Tensor, family: str
) -> None:
    model = make_model(family)
    saved = save_level(str(save_checkpoint(model)), level=Level.parse("40"), method="maw", to=tmp_path / "pruned")
    both: Any = AutoModelForCausalLM.from_pretrained(saved.path, output_loading_info=True)
    loaded, report = both
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert saved.intermediate_size == 53
    assert {mlp.intermediate_size for mlp in find_glu_mlps(loaded)} == {53}
    assert loaded.num_parameters() == saved.parameters
    Ladder(model, method="maw", seed=0, pad_to=16).set_width(53)
    with torch.no_grad():
        torch.testing.assert_close(loaded(prompt).logits, model(prompt).logits, rtol=2e-4, atol=2e-5)


def test_fused_projections_keep_gate_and_up_in_step(make_model: MakeModel) -> None:
    model = make_model("phi3")
    kept = Ladder(copy.deepcopy(model), method="l2", seed=0).kept(2, 53)
    pruned = copy.deepcopy(model)
    prune(pruned, 53, method="l2", seed=0)
    before, after = (find_glu_mlps(each)[2] for each in (model, pruned))
    for full, narrow in zip(before.gate_and_up, after.gate_and_up, strict=True):
        assert torch.equal(full[kept], narrow)
    assert torch.equal(before.down.weight[:, kept], after.down.weight)


def test_of_a_multimodal_model_the_vision_tower_stays(make_model: MakeModel) -> None:
    model = make_model("gemma3-multimodal")
    before = copy.deepcopy(model)
    prune(model, 53, method="maw", seed=0)
    assert (model.config.text_config.intermediate_size, model.config.vision_config.intermediate_size) == (53, 24)
    same_tensors(model.get_submodule("model.vision_tower").state_dict(), before.model.vision_tower.state_dict())


def test_everything_a_checkpoint_needs_is_there(
    make_model: MakeModel, save_checkpoint: SaveCheckpoint, tmp_path: Path
) -> None:
    model = make_model("llama", torch.bfloat16)
    model.generation_config.max_new_tokens = 7
    source = save_checkpoint(model)
    table = "| level | piqa |\n|---|---|\n| 0 | 0.70 |\n| 40 | 0.61 (-12.9%) |"
    saved = save_level(
        str(source),
        level=Level.parse("1.5x"),
        method="vow",
        divisor=20,
        to=tmp_path / "deep" / "down",
        card=lambda kept: CardResults(table=table) if kept == 40 else None,
    )
    assert saved.intermediate_size == 40
    assert not list(saved.path.parent.glob(".*"))
    config = json.loads((saved.path / "config.json").read_text())
    assert (config["intermediate_size"], config["dtype"]) == (40, "bfloat16")
    assert json.loads((saved.path / "generation_config.json").read_text())["max_new_tokens"] == 7
    with safe_open(saved.path / "model.safetensors", "pt") as file:
        assert {file.get_tensor(key).dtype for key in file.keys()} == {torch.bfloat16}  # noqa: SIM118
    original = AutoTokenizer.from_pretrained(source)
    tokenizer = AutoTokenizer.from_pretrained(saved.path)
    assert tokenizer.get_vocab() == original.get_vocab()
    assert tokenizer.chat_template == original.chat_template
    card = ModelCard.load(saved.path / "README.md")
    assert card.data.get("library_name") == "transformers"
    assert "pruning" in card.data.get("tags", [])
    assert "keeps 40 of 88 GLU neurons (54.55 % removed)" in card.text
    assert f"| parameters | {model.num_parameters():,} | {saved.parameters:,} |" in card.text
    assert table in card.text


@pytest.mark.parametrize(("method", "seed"), [("maw", None), ("random", 7)])
def test_a_saved_level_says_what_it_is(
    save_checkpoint: SaveCheckpoint, make_model: MakeModel, tmp_path: Path, method: str, seed: int | None
) -> None:
    source = save_checkpoint(make_model("llama"))
    save_level(str(source), level=Level.parse("2x"), method=method, to=tmp_path / "out", divisor=8, seed=7)
    record = read_record(tmp_path / "out")
    assert record is not None
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (record.method, record.seed, record.divisor, record.level) == (method, seed, 8, "2x")
    assert record.intermediate_size == config["intermediate_size"]
    assert record.parameters == sum(one.numel() for one in load_file(tmp_path / "out" / "model.safetensors").values())
    assert record.base.weights_hash == weights_hash(str(source), None)
    assert record.base.config_hash == config_hash(str(source), None)
    assert record.base.tokenizer_hash == tokenizer_hash(AutoTokenizer.from_pretrained(source))
    assert record.base.model == source.name
    assert "/" not in (tmp_path / "out" / FILE_NAME).read_text()


def test_the_weights_may_be_saved_in_another_dtype(
    make_model: MakeModel, save_checkpoint: SaveCheckpoint, tmp_path: Path
) -> None:
    source = save_checkpoint(make_model("llama"))
    saved = save_level(str(source), level=Level.parse("40"), method="maw", to=tmp_path / "half", dtype="float16")
    assert AutoConfig.from_pretrained(saved.path).dtype == torch.float16
    assert saved.bytes == 2 * saved.parameters


class TestTargetFolders:
    @pytest.fixture
    def source(self, make_model: MakeModel, save_checkpoint: SaveCheckpoint) -> str:
        return str(save_checkpoint(make_model("llama")))

    def save(self, source: str, to: Path, **options: Any) -> None:
        save_level(source, level=Level.parse("40"), method="maw", to=to, **options)

    def test_an_empty_folder_is_filled(self, source: str, tmp_path: Path) -> None:
        to = tmp_path / "pruned"
        to.mkdir()
        self.save(source, to)
        assert (to / "model.safetensors").is_file()

    def test_a_folder_in_use_is_refused_unless_asked(self, source: str, tmp_path: Path) -> None:
        to = tmp_path / "pruned"
        to.mkdir()
        (to / "precious.txt").write_text("kept")
        with pytest.raises(UserError, match="is not empty: choose another folder, or add --overwrite"):
            self.save(source, to)
        assert [path.name for path in to.iterdir()] == ["precious.txt"]

    def test_only_a_checkpoint_is_replaced(self, source: str, tmp_path: Path) -> None:
        to = tmp_path / "pruned"
        to.mkdir()
        (to / "precious.txt").write_text("kept")
        with pytest.raises(UserError, match="holds other things than a checkpoint, which stay"):
            self.save(source, to, overwrite=True)
        assert [path.name for path in to.iterdir()] == ["precious.txt"]
        (to / "config.json").write_text("{}")
        self.save(source, to, overwrite=True)
        assert (to / "model.safetensors").is_file()
        assert not (to / "precious.txt").exists()

    def test_weights_are_readable_as_any_other_new_file(self, source: str, tmp_path: Path) -> None:
        self.save(source, tmp_path / "pruned")
        modes = {(tmp_path / "pruned" / name).stat().st_mode for name in ("config.json", "model.safetensors")}
        assert len(modes) == 1

    def test_the_source_is_never_replaced(self, source: str) -> None:
        with pytest.raises(UserError, match="holds the model that is to be pruned"):
            self.save(source, Path(source), overwrite=True)

    def test_a_file_is_refused(self, source: str, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="file is a file: give a folder"):
            self.save(source, tmp_path / "file")
        with pytest.raises(UserError, match="cannot be written: Not a directory"):
            self.save(source, tmp_path / "file" / "below")

    def test_a_folder_that_cannot_be_written_is_refused(
        self, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(UserError, match="cannot be written: this user may not write there"):
            self.save(source, tmp_path / "pruned")

    def test_too_little_room_is_seen_beforehand(
        self, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(UserError, match="There is no room for"):
            self.save(source, tmp_path / "pruned")
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    @pytest.mark.parametrize("overwritten", [False, True])
    def test_a_disk_that_fills_up_leaves_nothing_behind(
        self, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwritten: bool
    ) -> None:
        to = tmp_path / "pruned"
        if overwritten:
            self.save(source, to)
        before = sorted(path.name for path in tmp_path.rglob("*"))

        def fill(_: object, folder: Path) -> None:
            (folder / "model.safetensors").write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(PreTrainedModel, "save_pretrained", fill)
        with pytest.raises(UserError, match="pruned cannot be written: the disk is full"):
            self.save(source, to, overwrite=overwritten)
        assert sorted(path.name for path in tmp_path.rglob("*")) == before

    def test_a_failed_swap_brings_the_old_folder_back(
        self, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to = tmp_path / "pruned"
        to.mkdir()
        (to / "config.json").write_text("{}")
        (to / "precious.txt").write_text("kept")
        rename = Path.rename

        def fail(path: Path, target: Path) -> Path:
            if ".partial-" in path.name:
                raise OSError(errno.EIO, "Input/output error")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", fail)
        with pytest.raises(UserError, match="Input/output error"):
            self.save(source, to, overwrite=True)
        assert (to / "precious.txt").read_text() == "kept"


def same_tensors(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert tensor.dtype == theirs[name].dtype
        assert torch.equal(tensor, theirs[name]), name
