"""Tiny random models of every architecture that transformers knows, scored by us and by lm-eval's `hf` at batch 1.

    python benchmarks/architectures.py [NAME …] > docs/evidence/architectures.md

Requests are short and long, beyond windows and beyond the lengths at which rotary factors change, and are scored
together by us and one at a time by `hf`. Without names, everything below is tried.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.pruning.glu import find_glu_mlps

_LAYERS = 4
_SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": _LAYERS, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 192,
    "initializer_range": 0.2, "pad_token_id": 0,
}  # fmt: skip
_WITHOUT_HEAD_DIM = ("falcon", "minicpm3", "stablelm", "youtu", "phi3", "phi4_multimodal", "deepseek_v2", "deepseek_v3")
_LONG = {
    "rope_type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.5], "long_factor": [1.5, 2.5, 4.0, 8.0],
    "original_max_position_embeddings": 48, "rope_theta": 10000.0, "factor": 4.0,
}  # fmt: skip
_MLA = {
    "kv_lora_rank": 16,
    "q_lora_rank": 24,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "num_key_value_heads": 4,
}
_MLA_WIDE = _MLA | {"v_head_dim": 4}
_DENSE = {"first_k_dense_replace": _LAYERS}
# Name → model type, and what its config says beside the sizes above.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    name: (name, {})
    for name in (
        "cohere", "cohere2", "cwm", "diffllama", "doge", "ernie4_5", "exaone", "exaone4", "gemma", "gemma2",
        "gemma3_text", "gemma4_text", "gemma4_unified_text", "glm", "glm4", "granite", "granite_swa", "helium",
        "hunyuan_v1_dense", "hyperclovax", "internlm3", "iquestcoder", "llama", "ministral", "mistral", "olmo", "olmo2",
        "olmo3", "olmo_hybrid", "qwen2", "qwen3", "qwen3_5_text", "seed_oss", "smollm3", "stablelm", "vaultgemma",
    )
} | {
    "ministral3": ("ministral3", {"rope_parameters": {
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 48,
        "llama_4_scaling_beta": 0.5, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0,
    }}),
    "minicpm3": ("minicpm3", _MLA_WIDE),
    "youtu": ("youtu", _MLA_WIDE),
    "phi3": ("phi3", {"original_max_position_embeddings": 48, "rope_parameters": _LONG}),
    "phi4_multimodal": ("phi4_multimodal", {"original_max_position_embeddings": 48, "rope_parameters": _LONG}),
    "gemma3": ("gemma3", {}),
    "deepseek_v2": ("deepseek_v2", _DENSE | _MLA),
    "deepseek_v3": ("deepseek_v3", _DENSE | _MLA),
    "glm4_moe": ("glm4_moe", _DENSE),
    "dots1": ("dots1", _DENSE | {"layer_types": ["full_attention"] * _LAYERS}),
    "qwen2_moe": ("qwen2_moe", {"mlp_only_layers": list(range(_LAYERS))}),
    "qwen3_moe": ("qwen3_moe", {"mlp_only_layers": list(range(_LAYERS))}),
    "afmoe": ("afmoe", {"num_dense_layers": _LAYERS}),
    "llama, longrope": ("llama", {"rope_parameters": _LONG}),
    "llama, dynamic": ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}),
    "qwen2, windows above": ("qwen2", {"use_sliding_window": True, "max_window_layers": 2}),
    "doge, few keys kept": ("doge", {"keep_window_size": 16}),
    "gpt2": ("gpt2", {}), "phi": ("phi", {}), "falcon": ("falcon", {}), "starcoder2": ("starcoder2", {}),
    "gpt_neox": ("gpt_neox", {}), "arcee": ("arcee", {}), "apertus": ("apertus", {}), "nemotron": ("nemotron", {}),
    "bitnet": ("bitnet", {}), "mixtral": ("mixtral", {}), "olmoe": ("olmoe", {}), "opt": ("opt", {}),
}  # fmt: skip
# Those that cannot be pruned, hence are not scored.
WITHOUT_GLU = (
    "gpt2", "phi", "falcon", "starcoder2", "gpt_neox", "arcee", "apertus", "nemotron", "bitnet", "mixtral", "olmoe",
    "opt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one architecture.

    Attributes:
        refused: why it is not scored at all.
        gap: the largest relative difference of a log-likelihood from `hf`'s.
        way: how requests were scored, and texts made where not in the same way.
        texts_equal: of those generated.
    """

    model_type: str
    refused: str | None = None
    gap: float = float("nan")
    way: str = ""
    texts_equal: bool = False

    @property
    def is_equal(self) -> bool:
        return self.refused is None and self.gap <= 1e-4 and self.texts_equal


def tiny_model(name: str, vocab_size: int) -> PreTrainedModel:
    """A model of that name below, with weights that make no attention uniform and no two tokens alike."""
    model_type, changes = MODELS[name]
    sizes = _SIZES | {"vocab_size": vocab_size, "bos_token_id": 1, "eos_token_id": 2} | changes
    if hasattr(CONFIG_MAPPING[model_type](), "sliding_window"):
        sizes["sliding_window"] = 24  # where it means nothing, transformers' caches would follow it all the same
    if model_type in _WITHOUT_HEAD_DIM:
        del sizes["head_dim"]
    if model_type == "gemma3":
        vision = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
        vision |= {"image_size": 28, "patch_size": 14}
        sizes = {"text_config": sizes, "vision_config": vision, "mm_tokens_per_image": 4}
    if model_type == "phi4_multimodal":  # else most of it is ears and eyes of their full size, which read no text
        tower = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
        sizes["vision_config"] = tower | {"num_hidden_layers": 2, "image_size": 28, "crop_size": 28, "patch_size": 14}
        sizes["audio_config"] = tower | {"num_blocks": 1, "nemo_conv_channels": 16, "ext_pw_out_channel": 16}
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes)).eval().requires_grad_(False)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
            else:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def requests() -> list[Instance]:
    """Choices after contexts of 2 to 150 words, some of them the same, and one without any."""
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "dog", "ran", "to", "town", "with", "Anna", "likes", "tea"]
    rng = np.random.default_rng(0)

    def text(count: int) -> str:
        return " ".join(rng.choice(words, count))

    pairs = [(text(count), " " + text(2)) for count in (2, 3, 9, 25, 40, 90, 150)]
    pairs += [(pairs[2][0], " sat"), (pairs[5][0], " sat on a mat"), ("", "Once a cat")]
    return [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(pairs)]


def prompts() -> list[Instance]:
    """Prompts that stay below 48 tokens, grow beyond, and begin beyond."""
    contexts = [instance.args[0] for instance in requests()]
    kwargs = {"until": ["\n"], "max_gen_toks": 8}
    return [Instance("generate_until", {}, (contexts[at], kwargs), at) for at in (0, 2, 4, 5)]


def compare(name: str) -> Outcome:
    """Raises whatever `hf` itself raises: then there is nothing to compare with."""
    tokenizer: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
    model_type = MODELS[name][0]
    model = tiny_model(name, len(tokenizer))
    try:
        find_glu_mlps(model)
    except UserError as refusal:
        return Outcome(model_type, refused=str(refusal))
    hflm: Any = get_model("hf")
    reference = hflm(pretrained=model, tokenizer=tokenizer, batch_size=1)
    expected = reference.loglikelihood(requests(), disable_tqdm=True)
    texts = reference.generate_until(prompts(), disable_tqdm=True)
    said: list[str] = []
    ours = PrunedLM(model, tokenizer, batch_tokens=4096, warn=said.append)
    found = ours.loglikelihood(requests())
    gap = max(abs(mine[0] / theirs[0] - 1) for mine, theirs in zip(found, expected, strict=True))
    greedy = [mine[1] for mine in found] == [theirs[1] for theirs in expected]
    equal = ours.generate_until(prompts()) == texts
    ways = ["one by one" if "each request" in why else "texts transformers' way" for why in said]
    return Outcome(model_type, None, gap if greedy else float("inf"), ", ".join(ways) or "packed", equal)


def main() -> None:
    logging.disable(logging.WARNING)
    transformers.logging.set_verbosity_error()
    outcomes: dict[str, Outcome] = {}
    for name in sys.argv[1:] or MODELS:
        try:
            outcomes[name] = compare(name)
        except Exception as error:  # of one among dozens of libraries' models; it is told
            outcomes[name] = Outcome(MODELS[name][0], refused=f"{type(error).__name__}: {str(error).splitlines()[0]}")
        print(name, outcomes[name], file=sys.stderr, flush=True)
    print(_page(outcomes))


def _page(outcomes: dict[str, Outcome]) -> str:
    scored = {name: outcome for name, outcome in outcomes.items() if outcome.refused is None}
    equal = {outcome.model_type for outcome in scored.values() if outcome.is_equal}
    tried = len({outcome.model_type for outcome in outcomes.values()})
    lines = [
        "# Architectures",
        "",
        f"Made by `benchmarks/{Path(__file__).name}` with transformers {transformers.__version__}: tiny random models "
        "in float32 on a CPU, short and long requests scored together, beyond windows and beyond the length at which "
        f"rotary factors change, against lm-eval's `hf` at batch 1. {tried} model types were tried; {len(equal)} are "
        "equal: every log-likelihood to 1e-4, every greedy flag and every text.",
        "",
        "Packed: prefix trees and our own decoder. One by one: each request by itself, in batches of one length, and "
        "texts by transformers' `generate`. Which way is taken is found out by a trial when the model is loaded.",
        "",
        "| model | largest relative difference | texts | way |",
        "|---|---:|---|---|",
    ]
    lines += [
        f"| {name} | {outcome.gap:.0e} | {'equal' if outcome.texts_equal else 'differ'} | {outcome.way} |"
        for name, outcome in scored.items()
    ]
    lines += ["", "Refused:", ""]
    lines += [f"- {name}: {outcome.refused}" for name, outcome in outcomes.items() if outcome.refused is not None]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
