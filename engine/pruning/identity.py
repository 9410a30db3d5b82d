"""What makes two models one beside their weights: a config that computes the same, a tokenizer that cuts the same."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from engine.pruning.sources import local_file

# What save_pretrained and the hub write for readers, and what only training or memory follow.
_COSMETIC = frozenset(
    {
        "_name_or_path", "transformers_version", "dtype", "torch_dtype", "use_cache", "initializer_range",
        "_from_model_config",
    }
)  # fmt: skip
# Of a tokenizer's serialisation: set anew by every call.
_STATE = ("truncation", "padding")


def config_hash(source: str, revision: str | None) -> str | None:
    """sha256 of what in config.json and generation_config.json changes the model's function.

    `revision` is the commit of a hub model, whose files must be in the cache. None without a config.json.
    """
    told = {name: _entries(source, name, revision) for name in ("config.json", "generation_config.json")}
    return None if told["config.json"] is None else _digest(told)


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """sha256 of how texts become tokens: the whole pipeline, the special tokens and their handling.

    It is of the tokenizer as loaded, whatever files it came in; the chat template is a condition of its own.
    """
    known: Any = tokenizer
    backend = getattr(known, "backend_tokenizer", None)
    if backend is not None:
        pipeline = json.loads(backend.to_str())
        for name in _STATE:
            pipeline.pop(name, None)
    else:
        pipeline = {"class": type(known).__name__, "vocabulary": known.get_vocab(), "files": _files_of(known)}
    return _digest(
        {
            "pipeline": pipeline,
            "added": {str(index): str(token) for index, token in known.added_tokens_decoder.items()},
            "special": {name: str(token) for name, token in known.special_tokens_map.items()},
            # 1e30 stands for no limit, in whatever form.
            "longest": min(int(known.model_max_length), 2**62),
            **{name: getattr(known, name, None) for name in ("add_bos_token", "add_eos_token", "add_prefix_space")},
        }
    )


def _entries(source: str, name: str, revision: str | None) -> dict[str, Any] | None:
    path = local_file(source, name, revision)
    return None if path is None else _telling(json.loads(path.read_text(encoding="utf-8")))


def _telling(entries: Any) -> Any:
    """The same without what is cosmetic, in configs within it as well; the order of architectures tells nothing."""
    if not isinstance(entries, dict):
        return entries
    found = {name: _telling(value) for name, value in entries.items() if name not in _COSMETIC}
    if isinstance(architectures := found.get("architectures"), list):
        found["architectures"] = sorted(architectures)
    return found


def _files_of(tokenizer: Any) -> dict[str, str]:
    """The files that a tokenizer without a fast form reads its merges or pieces from."""
    names = {name: getattr(tokenizer, name, None) for name in ("vocab_file", "merges_file")}
    return {name: sha256(Path(path).read_bytes()).hexdigest() for name, path in names.items() if path}


def _digest(told: Any) -> str:
    return sha256(json.dumps(told, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
