"""Scores and texts of one small random model against lm-eval's `hf` at batch 1, on a CUDA GPU.

    python benchmarks/check_gpu.py {llama,longrope,windows,mla} {float32,bfloat16} [--compile] [--device cuda]

`check_gpu.sh` runs the combinations side by side. In float32 every log-likelihood has to agree to 1e-4 and every text
has to be equal; in bfloat16, where rounding differs, log-likelihoods to 5 % and as many texts as are printed. Ends with
status 1 where they do not.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from typing import Any

import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.overrides.compiling import compile_layers

_SIZES: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
_LIMIT = 96  # tokens up to which the short factors hold
_LONG = {
    "rope_type": "longrope", "short_factor": [1 + at / 32 for at in range(32)],
    "long_factor": [2 + at / 4 for at in range(32)], "original_max_position_embeddings": _LIMIT,
    "rope_theta": 10000.0, "factor": 4.0,
}  # fmt: skip
_MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "longrope": ("phi3", {"original_max_position_embeddings": _LIMIT, "rope_parameters": _LONG}),
    "windows": ("gemma2", {"head_dim": 64, "sliding_window": 48}),
    "mla": ("minicpm3", {
        "num_key_value_heads": 4, "kv_lora_rank": 64, "q_lora_rank": 96, "qk_nope_head_dim": 64,
        "qk_rope_head_dim": 32, "v_head_dim": 64,
    }),
}  # fmt: skip
_UNTIL: list[Any] = [["\n"], ["<|user|>"], [""], ["<|assistant|> the", "."], [], ["Question:", "\n\n"]]
_NEW = 24


def main() -> int:
    options = _options()
    logging.disable(logging.WARNING)
    tokenizer: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
    model = _model(options.model, tokenizer).to(options.device, getattr(torch, options.dtype))
    scored, prompts = _requests()
    hflm: Any = get_model("hf")
    reference = hflm(pretrained=model, tokenizer=tokenizer, batch_size=1, softmax_dtype="float32")
    expected = reference.loglikelihood(scored, disable_tqdm=True)
    expected_texts = reference.generate_until(prompts, disable_tqdm=True)
    start = time.monotonic()
    said: list[str] = []
    ours = PrunedLM(model, tokenizer, batch_tokens=4096, warn=said.append)
    if options.compile:
        compile_layers(model)
    found = ours.loglikelihood(scored)
    gap = max(abs(mine[0] / theirs[0] - 1) for mine, theirs in zip(found, expected, strict=True))
    few = scored[::3]
    ours.clear_cache()
    again = ours.loglikelihood(few)
    neighbours = max(abs(one[0] / found[3 * at][0] - 1) for at, one in enumerate(again))
    texts = ours.generate_until(prompts)
    equal = sum(mine == theirs for mine, theirs in zip(texts, expected_texts, strict=True))
    exact = options.dtype == "float32"
    good = gap <= (1e-4 if exact else 0.05) and (equal == len(texts) or not exact)
    print(
        f"{'ok  ' if good else 'BAD '} {options.model} {options.dtype}{' compiled' if options.compile else ''}: "
        f"log-likelihoods {gap:.1e}, fewer neighbours {neighbours:.1e}, texts {equal} of {len(texts)}, "
        f"{time.monotonic() - start:.0f} s; said: {said or 'nothing'}; rows: {ours.slow_because or 'FlexAttention'}"
    )
    for mine, theirs in [pair for pair in zip(texts, expected_texts, strict=True) if exact and pair[0] != pair[1]][:3]:
        print(f"     ours {mine!r}\n     hf   {theirs!r}")
    return 0 if good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=_MODELS)
    parser.add_argument("dtype", choices=("float32", "bfloat16"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


def _model(name: str, tokenizer: Any) -> Any:
    model_type, changes = _MODELS[name]
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, vocab_size=len(tokenizer), **_SIZES | changes)
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    often = tokenizer.convert_tokens_to_ids(["<|user|>", "<|assistant|>", "</s>"])
    often += tokenizer("\n. the", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.06)
        model.get_output_embeddings().weight[often] *= 1.6
    model.generation_config.eos_token_id = [0, 5]  # not the tokenizer's, which lm-eval looks for as a string
    return model


def _requests() -> tuple[list[Instance], list[Instance]]:
    """Choices after 2 to 300 words, and prompts that stay below the limit, grow beyond it and begin beyond it."""
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "dog", "ran", "to", "town", "with", "Anna", "likes", "tea"]
    rng = np.random.default_rng(0)

    def text(count: int) -> str:
        return " ".join(rng.choice(words, count))

    scored = []
    for at, count in enumerate(rng.integers(2, 300, 40).tolist() + rng.integers(2, 40, 40).tolist()):
        context = text(count)
        scored += [Instance("loglikelihood", {}, (context, " " + text(2)), 2 * at + choice) for choice in range(2)]
    prompts = [
        Instance("generate_until", {}, (text(count), {"until": _UNTIL[at % len(_UNTIL)], "max_gen_toks": _NEW}), at)
        for at, count in enumerate(rng.integers(2, 120, 120).tolist())
    ]
    return scored, prompts


if __name__ == "__main__":
    sys.exit(main())
