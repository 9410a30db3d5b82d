"""Under which conditions a result file of lm-eval was measured, as far as it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from warehouse.records.conditions import DEFAULT_SEEDS, Conditions, documents

# lm-eval's own names for transformers; others compute the same model by other means.
_TRANSFORMERS = ("hf", "hf-auto", "huggingface", "hf-causal", "hf-causal-experimental")
_SEEDS = ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
_ADAPTERS = ("peft", "delta", "lora_local_path")
_QUANTIZATIONS = (
    "load_in_4bit", "load_in_8bit", "quantization_config", "quantization", "quantized", "autogptq", "gptqmodel", "gptq",
    "gguf_file",
)  # fmt: skip
# What says which model it is, stands in a column of its own, or decides where and how fast it is computed.
_NO_MATTER = frozenset(
    {
        "pretrained", "model", "path", "revision", "dtype", "trust_remote_code", "token", "use_auth_token", "cache_dir",
        "download_dir", "device", "device_map", "device_map_option", "parallelize", "max_memory_per_gpu",
        "max_cpu_memory", "offload_folder", "low_cpu_mem_usage", "tp_plan", "batch_size", "max_batch_size",
        "logits_cache", "use_fast_tokenizer", "attn_implementation", "use_flash_attention_2", "tensor_parallel_size",
        "pipeline_parallel_size", "data_parallel_size", "gpu_memory_utilization", "swap_space", "enforce_eager",
        "max_num_seqs", "base_url", "num_concurrent", "max_retries", "timeout", "verify_certificate",
        "tokenized_requests", "tokenizer_backend",
    }
)  # fmt: skip
# As good as not given.
_DEFAULTS = {"truncation": False, "backend": ("default", "causal"), "subfolder": "", "enable_lora": False}
_DTYPES = {"half": "float16", "fp16": "float16", "bf16": "bfloat16", "float": "float32", "fp32": "float32"}


def conditions_of(data: Mapping[str, Any]) -> Conditions:
    """Raises:
    TypeError, ValueError, AttributeError: not as lm-eval writes them.
    """
    config = data.get("config") or {}
    arguments = model_args(config)
    # Called from Python with a model at hand, lm-eval does not know how that was loaded.
    loaded = bool(arguments) or config.get("model") in _TRANSFORMERS
    template = data.get("chat_template")
    applied = template is not None if "chat_template" in data else None
    return Conditions(
        documents=_documents(data, config),
        dtype=_dtype(config, arguments),
        seeds=_seeds(config),
        chat_template=applied,
        chat_template_hash="" if applied is False else _template_hash(data, template),
        system_prompt=(data["system_instruction"] or "") if "system_instruction" in data else None,
        fewshot_as_multiturn=_multiturn(data, applied),
        generation=_generation(data, config),
        quantization=_joined(_quantization(arguments)) if loaded else None,
        adapter=_adapter(arguments) if loaded else None,
        model_args=_joined(_others(config, arguments)) if loaded else None,
    )


def model_args(config: Mapping[str, Any]) -> dict[str, Any]:
    """`model_args` as a mapping: lm-eval takes, and writes, a text as well; empty where none were given."""
    given = config.get("model_args") or {}
    if isinstance(given, str):
        parts = [part.partition("=") for part in given.split(",") if part.strip()]
        return {name.strip(): _read(value.strip()) for name, _, value in parts}
    return {str(name): _read(value) if isinstance(value, str) else value for name, value in given.items()}


def adapted(arguments: Mapping[str, Any]) -> bool:
    return bool(_adapter(arguments))


def _read(text: str) -> Any:
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _documents(data: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    if "limit" not in config:
        return None
    if (limit := config["limit"]) is not None:
        return documents(float(limit))
    counts = data.get("n-samples") or {}
    if any(count.get("effective") != count.get("original") for count in counts.values()):
        return "chosen"  # with lm-eval's --samples, which its files do not keep
    return "all"


def _dtype(config: Mapping[str, Any], arguments: Mapping[str, Any]) -> str | None:
    dtype = config.get("model_dtype") or arguments.get("dtype")
    if not dtype or dtype == "auto":
        return None
    name = str(dtype).removeprefix("torch.")
    return _DTYPES.get(name, name)


def _seeds(config: Mapping[str, Any]) -> str | None:
    """Versions that wrote only some had fixed the rest, to what is lm-eval's default to this day."""
    if not any(name in config for name in _SEEDS):
        return None
    seeds = [config.get(name, default) for name, default in zip(_SEEDS, DEFAULT_SEEDS, strict=True)]
    return ",".join("none" if seed is None else str(int(seed)) for seed in seeds)


def _template_hash(data: Mapping[str, Any], template: Any) -> str | None:
    if not template:
        return None
    return data.get("chat_template_sha") or sha256(str(template).encode()).hexdigest()


def _multiturn(data: Mapping[str, Any], applied: bool | None) -> bool | None:
    """Without a chat template there are no turns, whatever was asked for."""
    if not applied:
        return applied
    multiturn = data.get("fewshot_as_multiturn")
    return None if multiturn is None else bool(multiturn)


def _generation(data: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Settings given on the command line; and of tasks that draw their answers by their own settings, these.

    A task's greedy settings belong to its version. Where one draws, the file does not say whether lm-eval's own task
    does, so it is compared only with files that drew alike.
    """
    given = config.get("gen_kwargs")
    if isinstance(given, str):
        given = {
            name.strip(): _number(value.strip()) for name, _, value in (one.partition("=") for one in given.split(","))
        }
    given = {name: value for name, value in (given or {}).items() if name}
    drawn: dict[str, Any] = {}
    for task, about in sorted((data.get("configs") or {}).items()):
        settings = about.get("generation_kwargs") if isinstance(about, dict) else None
        if isinstance(settings, dict) and _draws(settings) and not _draws(given):
            drawn[task] = {name: value for name, value in settings.items() if name not in ("until", "max_gen_toks")}
    if not given and not drawn:
        return "" if "gen_kwargs" in config else None
    drawn_from = {name: _plain(value) for name, value in given.items()} | ({"tasks": drawn} if drawn else {})
    return json.dumps(drawn_from, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """1.0 and 1 are one temperature."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _draws(settings: Mapping[str, Any]) -> bool:
    """A temperature alone draws too, if the model's own generation config says so."""
    temperature = settings.get("temperature")
    if settings.get("do_sample") is False or temperature == 0:
        return False
    return bool(settings.get("do_sample") or temperature)


def _number(text: str) -> Any:
    """A value of `gen_kwargs` as lm-eval reads it."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return _read(text)


def _quantization(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if _is_quantization(name) and value is not False}


def _is_quantization(name: str) -> bool:
    return name in _QUANTIZATIONS or name.startswith(("bnb_", "gptq_"))


def _adapter(arguments: Mapping[str, Any]) -> str:
    adapters = [str(PurePosixPath(str(arguments[name]))) for name in _ADAPTERS if arguments.get(name)]
    return ",".join(adapters)


def _others(config: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    others = {
        name: value
        for name, value in arguments.items()
        if name not in _NO_MATTER and name not in _ADAPTERS and not _is_quantization(name)
        and not _is_default(name, value)
    }  # fmt: skip
    kind = config.get("model")
    if isinstance(kind, str) and kind not in _TRANSFORMERS:
        others["model"] = kind
    return others


def _is_default(name: str, value: Any) -> bool:
    default = _DEFAULTS.get(name)
    return value in default if isinstance(default, tuple) else default is not None and value == default


def _joined(arguments: Mapping[str, Any]) -> str:
    """ "k=v,k=v" in order of names; what is unset counts as not given."""
    entries = {name: value for name, value in arguments.items() if value not in (None, "")}
    return ",".join(
        f"{name}={value if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True, default=str)}"
        for name, value in sorted(entries.items())
    )
