"""Repairs that were tried beside the program's own: slow, and written to be compared, not to be used."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from engine.pruning import activations, factor, layer, ordering
from engine.pruning.calibration import Calibration
from engine.pruning.glu import find_glu_mlps
from engine.pruning.ladder import Ladder
from engine.pruning.methods import obs

_METHOD = "obs"


class Variant:
    """A model whose width is set as a ladder's is."""

    def __init__(self, model: Any, ladder: Any) -> None:
        self.model, self.set_width = model, ladder.set_width


def usual(model: Any, calibration: Calibration, seed: int) -> Variant:
    return Variant(model, Ladder(model, method=_METHOD, seed=seed, repair="lsq", calibration=calibration))


def damped(damping: float) -> Callable[..., Variant]:
    """λ as another share of the mean of the diagonal, in the order and in the repair."""

    def made(model: Any, calibration: Calibration, seed: int) -> Variant:
        with instead(layer, DAMPING=damping), instead(factor, DAMPING=damping):
            return usual(model, calibration, seed)

    return made


def tokens_alike(model: Any, calibration: Calibration, seed: int) -> Variant:
    """Each token counts as much as any other: its activations are scaled to one norm."""

    def add(gram: Tensor, neurons: Tensor) -> None:
        wide = neurons.float()
        wide = wide / wide.norm(dim=1, keepdim=True).clamp(min=1e-12)
        gram.addmm_(wide.T, wide)

    with instead(activations, add_products=add):
        return usual(model, calibration, seed)


def loud_tokens_capped(model: Any, calibration: Calibration, seed: int) -> Variant:
    """No token counts more than ten times the median one."""

    def add(gram: Tensor, neurons: Tensor) -> None:
        wide = neurons.float()
        norms = wide.norm(dim=1, keepdim=True)
        wide = wide * (10**0.5 * norms.median() / norms.clamp(min=1e-12)).clamp(max=1)
        gram.addmm_(wide.T, wide)

    with instead(activations, add_products=add):
        return usual(model, calibration, seed)


def one_by_one(model: Any, calibration: Calibration, seed: int) -> Variant:
    """Neurons eliminated one at a time instead of a sixty-fourth of the layer."""
    with instead(obs, _BLOCKS=1_000_000):
        return usual(model, calibration, seed)


def judged_by_gradients(of: str, tokens: float = 0.0) -> Callable[..., Variant]:
    """Orders that weigh a layer's outputs by how much the model's own next-token distribution minds them.

    Args:
        of: "loss": by the second moments of the gradients of log p(y) at the layer's output, y drawn from the model,
            which is the Fisher information; "readers": by the weights that read the stream behind the layer; "none".
        tokens: the power of a token's gradient norm by which it counts in H, in the order and in the repair.
    """

    def made(model: Any, calibration: Calibration, seed: int) -> Variant:
        seen = _with_gradients(model, calibration, seed)

        def activations_of(model: Any, mlps: Any, *others: Any) -> Iterator[tuple[Any, layer.Activations]]:
            for mlp in mlps:
                neurons, gradients = seen[mlp.layer]
                weights = gradients.norm(dim=1, keepdim=True) ** tokens
                neurons = neurons * (weights / weights.mean()).sqrt()
                yield (
                    mlp,
                    layer.Activations(tokens=len(neurons), total=neurons.sum(0), gram=neurons.T @ neurons),
                )

        def scores(one: layer.MlpLayer) -> Tensor:
            gradients = seen[one.index][1]
            metric = {
                "loss": lambda: gradients.T @ gradients,
                "readers": lambda: _read_by(model, one.index),
                "none": lambda: torch.eye(gradients.shape[1]),
            }[of]().double()
            metric.diagonal().add_(0.1 * metric.diagonal().mean())
            root = torch.linalg.cholesky(metric).T.float()
            return obs.scores(replace(one, down=root @ one.down))

        with instead(ordering, activations=activations_of, load_method=lambda name: scores):
            return usual(model, calibration, seed)

    return made


def _with_gradients(model: Any, calibration: Calibration, seed: int) -> dict[int, tuple[Tensor, Tensor]]:
    """Of each layer, a row a token: what its neurons do, and the gradient of log p(y) at its output."""
    torch.manual_seed(seed)
    mlps = find_glu_mlps(model)
    kept = {mlp.layer: _Kept() for mlp in mlps}
    hooks = [mlp.down.register_forward_hook(kept[mlp.layer].keep) for mlp in mlps]
    for rows in torch.from_numpy(calibration.tokens.astype("int64")).split(8):
        real = rows >= 0
        embedded = model.get_input_embeddings()(rows.clamp(min=0)).detach().requires_grad_(True)
        likely = model(inputs_embeds=embedded, use_cache=False).logits.log_softmax(-1)
        drawn = torch.multinomial(likely.detach().exp().flatten(0, 1), 1).view(*real.shape, 1)
        (likely.gather(2, drawn)[..., 0] * real).sum().backward()
        for one in kept.values():
            one.pick(real)
    for hook in hooks:
        hook.remove()
    return {at: (torch.cat(one.neurons), torch.cat(one.gradients)) for at, one in kept.items()}


class _Kept:
    """What one layer's neurons do, and the gradients at its output: of each pass, of the tokens that are picked."""

    def __init__(self) -> None:
        self.neurons: list[Tensor] = []
        self.gradients: list[Tensor] = []
        self._last: tuple[Tensor, Tensor] | None = None

    def keep(self, module: Any, args: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        self._last = args[0].detach(), output

    def pick(self, real: Tensor) -> None:
        assert self._last is not None
        neurons, output = self._last
        assert output.grad is not None
        self.neurons.append(neurons[real])
        self.gradients.append(output.grad[real])


def _read_by(model: Any, index: int) -> Tensor:
    """Second moments of the weights that read the stream behind a layer, each module's as loud as any other's."""
    base = model.base_model
    head = model.get_output_embeddings().weight * base.norm.weight
    readers = [head - head.mean(0)]
    for later in base.layers[index + 1 :]:
        attention, mlp = later.self_attn, later.mlp
        readers += [one.weight * later.input_layernorm.weight for one in (attention.q_proj, attention.k_proj)]
        readers += [attention.v_proj.weight * later.input_layernorm.weight]
        readers += [one.weight * later.post_attention_layernorm.weight for one in (mlp.gate_proj, mlp.up_proj)]
    return sum((one.T @ one / one.square().sum() for one in readers), torch.zeros(()))


def from_the_repaired_stream(targets: str, attention: bool = False) -> Callable[..., Variant]:
    """Layer after layer, fitted on what reaches it in the model that is repaired so far.

    Args:
        targets: the unpruned layer's output on the same input ("same"), its output in the unpruned model ("first"), or
            what takes the stream behind the layer to where it is in the unpruned model ("stream").
        attention: whether o_proj is fitted too, where the target is not "same".
    """

    def made(model: Any, calibration: Calibration, seed: int) -> Variant:
        return _Streamed(model, calibration, seed, targets, attention)

    return made


class _Streamed(Variant):
    def __init__(self, model: Any, calibration: Calibration, seed: int, targets: str, attention: bool) -> None:
        self._unpruned = copy.deepcopy(model)
        self._targets, self._attention = targets, attention
        tokens = torch.from_numpy(calibration.tokens.astype("int64")).to(model.device)
        self._real = tokens >= 0
        self._tokens = tokens.clamp(min=0)
        self._ladder = Ladder(model, method=_METHOD, seed=seed, pad_to=1, calibration=calibration)
        self.model, self.set_width = model, self._set_width

    @torch.no_grad()
    def _set_width(self, width: int) -> None:
        self._ladder.set_width(width)
        for at, (before, after) in enumerate(zip(_layers(self._unpruned), _layers(self.model), strict=True)):
            kept = self._ladder._rankings[at][:width].to(self.model.device)
            if self._attention:
                there, here = self._seen(self._unpruned, before), self._seen(self.model, after)
                own = before.self_attn.o_proj.weight
                first = there.attention @ own.T
                target = first if self._targets == "first" else there.between - here.before
                after.self_attn.o_proj.weight.data.copy_(_fitted(here.attention, target, own))
            there, here = self._seen(self._unpruned, before), self._seen(self.model, after)
            if self._targets == "same":
                mlp = before.mlp
                target = mlp(here.normed)
            elif self._targets == "first":
                target = there.neurons @ before.mlp.down_proj.weight.T
            else:
                target = there.between + there.neurons @ before.mlp.down_proj.weight.T - here.between
            after.mlp.down_proj.weight.data.copy_(_fitted(here.neurons, target, before.mlp.down_proj.weight[:, kept]))

    def _seen(self, model: Any, layer: Any) -> _Seen:
        """What passes through one layer on the calibration text, a row for each of its tokens."""
        found: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[..., None]:
            def hook(module: Any, args: tuple[Tensor, ...]) -> None:
                found[name] = args[0][self._real].float()

            return hook

        modules = {
            "before": layer.input_layernorm,
            "attention": layer.self_attn.o_proj,
            "between": layer.post_attention_layernorm,
            "normed": layer.mlp,
            "neurons": layer.mlp.down_proj,
        }
        hooks = [module.register_forward_pre_hook(keep(name)) for name, module in modules.items()]
        model.base_model(self._tokens, use_cache=False)
        for hook in hooks:
            hook.remove()
        return _Seen(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Of one layer, a row a token: the stream before it and between attention and MLP, and inputs of its parts."""

    before: Tensor
    attention: Tensor
    between: Tensor
    normed: Tensor
    neurons: Tensor


def _layers(model: Any) -> Any:
    return model.base_model.layers


def _fitted(inputs: Tensor, target: Tensor, own: Tensor) -> Tensor:
    """The weight [out, in] that comes closest to `target`, drawn towards `own` as the program's repair is."""
    wide = inputs.double()
    moments, cross = wide.T @ wide, target.double().T @ wide
    damping = layer.DAMPING * moments.diagonal().mean()
    moments.diagonal().add_(damping)
    return torch.linalg.solve(moments, (cross + damping * own).T).T.float()


@contextmanager
def instead(module: Any, **values: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    vars(module).update(values)
    try:
        yield
    finally:
        vars(module).update(before)


VARIANTS: dict[str, Callable[..., Variant]] = {
    "as it is (λ = 0.01)": usual,
    "λ = 0.0001": damped(0.0001),
    "λ = 0.001": damped(0.001),
    "λ = 0.1": damped(0.1),
    "tokens alike": tokens_alike,
    "loud tokens capped": loud_tokens_capped,
    "neurons eliminated one by one": one_by_one,
    "order by gradients": judged_by_gradients("loss"),
    "order by the weights that read": judged_by_gradients("readers"),
    "tokens as loud as their gradients": judged_by_gradients("none", tokens=1.0),
    "tokens as loud as their gradients squared": judged_by_gradients("none", tokens=2.0),
    "repaired stream, the unpruned layer on it": from_the_repaired_stream("same"),
    "repaired stream, the unpruned model's output": from_the_repaired_stream("first"),
    "repaired stream, back to the unpruned stream": from_the_repaired_stream("stream"),
    "the unpruned model's output, o_proj too": from_the_repaired_stream("first", attention=True),
    "back to the unpruned stream, o_proj too": from_the_repaired_stream("stream", attention=True),
}
