"""What neurons do is summed over every real token of the text, whichever way it goes through the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from engine.errors import UserError
from engine.pruning import activations as module
from engine.pruning.activations import activations, layers_at_once
from engine.pruning.calibration import FILE_NAME, Calibration
from engine.pruning.glu import find_glu_mlps

MakeModel = Callable[..., PreTrainedModel]


@pytest.fixture(scope="module")
def text() -> Calibration:
    drawn = np.random.default_rng(1)
    return Calibration.of([drawn.integers(3, 64, n).tolist() for n in (20, 7, 33, 20, 2)], source="self", seed=4)


def one_by_one(model: PreTrainedModel, text: Calibration, layer: int) -> torch.Tensor:
    """The inputs of a layer's down_proj, sequence by sequence, in float64: [tokens, neurons]."""
    seen = []
    hook = find_glu_mlps(model)[layer].down.register_forward_pre_hook(lambda _, args: seen.append(args[0][0].double()))
    for row in text.tokens:
        model(torch.from_numpy(row[row >= 0].astype(np.int64))[None])
    hook.remove()
    return torch.cat(seen)


@pytest.mark.parametrize("family", ["llama", "phi3", "gemma2", "gemma3-multimodal"])
def test_the_sums_are_those_of_the_sequences_one_by_one(make_model: MakeModel, text: Calibration, family: str) -> None:
    model = make_model(family)
    mlps = find_glu_mlps(model)
    for mlp, seen in activations(model, mlps, text):
        wanted = one_by_one(model, text, mlp.layer)
        assert seen.tokens == len(wanted) == text.count == 82
        torch.testing.assert_close(seen.total.double(), wanted.sum(0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(seen.gram.double(), wanted.T @ wanted, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(seen.norms.double(), wanted.norm(dim=0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(seen.variances.double(), wanted.var(0), rtol=1e-3, atol=1e-4)


def test_passes_of_any_size_come_to_the_same(
    make_model: MakeModel, text: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("llama")
    mlps = find_glu_mlps(model)
    whole = {mlp.layer: seen.gram for mlp, seen in activations(model, mlps, text)}
    monkeypatch.setattr(module, "CPU_TOKENS", 40)
    checks: list[int] = []
    for mlp, seen in activations(model, mlps, text, lambda: checks.append(1)):
        torch.testing.assert_close(seen.gram, whole[mlp.layer], rtol=1e-4, atol=1e-4)
    assert len(checks) == 3


def test_layers_that_do_not_fit_together_are_looked_at_in_groups(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("llama")
    mlps = find_glu_mlps(model)
    matrix = 4 * 88**2
    for matrices, layers in ((100, 3), (5, 2), (4, 1), (0, 1)):
        monkeypatch.setattr(module, "free_memory", lambda device, n=matrices: int(n * matrix / 0.7) + 1)
        assert layers_at_once(model, mlps) == layers


def test_what_stands_in_for_a_layers_code_is_passed_by(make_model: MakeModel, text: Calibration) -> None:
    model = make_model("llama")
    [mlp, *_] = find_glu_mlps(model)
    [(_, plain), *_] = activations(model, [mlp], text)
    replaced = mlp.module.forward = lambda hidden: hidden
    [(_, seen), *_] = activations(model, [mlp], text)
    assert torch.equal(seen.gram, plain.gram)
    assert mlp.module.forward is replaced


def test_activations_that_are_nan_are_refused_by_their_layer(make_model: MakeModel, text: Calibration) -> None:
    model = make_model("llama")
    mlps = find_glu_mlps(model)
    mlps[1].down.weight.data.fill_(float("inf"))
    with pytest.raises(UserError, match="neurons of layer 2 do on the calibration text is NaN or infinite"):
        list(activations(model, mlps, text))


def test_a_text_is_kept_and_found_again(text: Calibration, tmp_path: Path) -> None:
    path = text.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name] == [FILE_NAME]
    found = Calibration.load(path, source="self", seed=4, hash=text.hash)
    assert np.array_equal(found.tokens, text.tokens)
    assert (found.hash, found.length, found.seed) == (text.hash, 33, 4)


def test_a_text_that_was_changed_or_lost_is_refused(text: Calibration, tmp_path: Path) -> None:
    path = text.save(tmp_path)
    with pytest.raises(UserError, match="another text than the run began with"):
        Calibration.load(path, source="self", seed=4, hash="0" * 64)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match="missing or damaged"):
        Calibration.load(path, source="self", seed=4, hash=text.hash)
    with pytest.raises(UserError, match="missing or damaged"):
        Calibration.load(tmp_path / "none.npz", source="self", seed=4, hash=text.hash)


def test_the_hash_tells_how_the_tokens_are_cut() -> None:
    texts = [Calibration.of(rows, source="self", seed=0) for rows in ([[1, 2], [3, 4]], [[1, 2, 3, 4]])]
    assert texts[0].hash != texts[1].hash
