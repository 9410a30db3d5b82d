"""Process `engine.worker.preview REQUEST`: models' sizes, from their configs alone.

The request is a JSON object: `models`, each with `model`, `revision` and `trust_remote_code`, and `online`, without
which the network is left alone. A line of JSON for each on standard output: the shape, or an `error` that the user can
mend; `unknown` is true where the model may be on the hub, but nothing of it is here.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from engine.errors import UserError
from engine.worker.importing import import_transformers


def main(models: list[dict[str, Any]], *, online: bool) -> None:
    if not online:
        os.environ["HF_HUB_OFFLINE"] = "1"
    import_transformers()
    for model in models:
        print(json.dumps(_look(**model, online=online)), flush=True)


def _look(model: str, revision: str | None, trust_remote_code: bool, *, online: bool) -> dict[str, Any]:
    import torch

    from engine.pruning import loading, sources

    try:
        source = sources.resolve(model)
    except UserError as error:
        return {"error": str(error)}
    try:
        found = loading.inspect(model, revision=revision, trust_remote_code=trust_remote_code)
    except UserError as error:
        return {"error": str(error), "unknown": not online and not sources.is_local(source)}
    config = found.config.get_text_config()
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    # Any device but the CPU, on which "auto" is float32 whatever the checkpoint has.
    dtype = str(loading.resolve_dtype("auto", found.config, torch.device("meta")))
    return asdict(found.shape) | {
        "cache_per_token": 2 * found.shape.num_hidden_layers * found.shape.num_key_value_heads * head_dim,
        "dtype": dtype.removeprefix("torch."),
        "device": loading.resolve_device("auto").type,
    }


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
