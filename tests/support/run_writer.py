"""Runs for tests: a journal written line by line, with the times and figures that a test asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any


class RunWriter:
    """Writes one run's folder. Models have 1000 parameters, 100 neurons a layer and a hidden size of 25."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seq = 0
        (folder / "samples").mkdir(parents=True)
        self.path.touch()

    @property
    def path(self) -> Path:
        return self.folder / "journal.jsonl"

    def line(self, kind: str, t: float = 0.0, **fields: Any) -> int:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seq": self.seq, "t": 1_750_000_000 + t, "kind": kind} | fields) + "\n")
        self.seq += 1
        return self.seq - 1

    def start(
        self,
        *,
        model: str = "org/Tiny",
        weights: str | None = "w1",
        method: str = "maw",
        conditions: dict[str, Any] | str | None = None,
        dtype: str | None = "float32",
        config: str | None = None,
        tokenizer: str | None = None,
        revision: str | None = None,
        tuned: bool | None = None,
        widths: Mapping[str, int] | None = None,
        repair: str | None = None,
        sweep: str | None = None,
        text: str | None = None,
        scale: int = 1,
        t: float = 0.0,
    ) -> None:
        """Everything before the first cell; `widths` maps levels to neurons, `scale` makes the model larger.

        `text` names what neurons are looked at on, and its hash is made of that. Without `repair` the journal is one
        from before there was any.

        `conditions` are columns, all documents unless given; a sentence is what runs had before there were columns.
        """
        conditions = {"documents": "all", "dtype": dtype} if conditions is None else conditions
        plan = {"name": self.folder.name, "method": method, "suite": None, "model": model}
        if sweep is not None:
            plan["sweep"] = sweep
        if repair is not None and isinstance(conditions, dict):
            conditions = conditions | {"repair": repair}
        self.line("plan", t, plan=plan, conditions=conditions, dtype=dtype)
        self.line("attempt", t, attempt=1, pid=1, host="here", provenance={"versions": {"torch": "2.13"}})
        self.line(
            "model", t, model=model, source=model, revision=revision, weights_hash=weights, model_type="llama",
            hidden_size=25 * scale, intermediate_size=100, num_hidden_layers=1, num_attention_heads=1,
            num_key_value_heads=1, vocab_size=10, tied_embeddings=True, parameters=1000 * scale, bytes=4000 * scale,
            config_hash=config, tokenizer_hash=tokenizer, tuned=tuned,
        )  # fmt: skip
        for level, width in (widths or {"0": 100, "20": 80, "40": 60}).items():
            self.line(
                "variant", t, level=level, method=method, pruning_pct=100.0 - width, intermediate_size=width,
                padded_size=width, expansion_ratio=width / (25 * scale), parameters=10 * width * scale,
                bytes=40 * width * scale, **({} if repair is None else {"repair": repair}),
            )  # fmt: skip
        if text is not None:
            digest = sha256(text.encode()).hexdigest()
            self.line(
                "calibration", t, source=text, tokens=4096, length=128, seed=0, hash=digest, path="calibration.npz"
            )

    def cell(
        self,
        level: str,
        task: str,
        value: float | None = None,
        /,
        *,
        metrics: list[dict] | None = None,
        t: float = 0.0,
        **fields: Any,
    ) -> int:
        """A finished cell: one `acc` of this value unless `metrics` says otherwise."""
        about = {"part_of": None, "is_group": False, "version": "1", "num_fewshot": 0, "seconds": 1.0, "samples": None}
        metrics = metrics or [metric("acc", value)]
        return self.line("cell", t, **about | {"level": level, "task": task, "metrics": metrics} | fields)


def metric(name: str, value: float | None, **fields: Any) -> dict[str, Any]:
    better = name not in ("perplexity", "word_perplexity")
    known = {"filter": "none", "stderr": None, "n": 10, "higher_is_better": better}
    return {"metric": name, "value": value} | known | fields
