"""A quick look at a trained model: the tasks' accuracies at some levels of MAW pruning.

It needs no lm-eval, which a training machine may not have; the scores of record are lm-eval's.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from benchmarks.demo_model.tasks import Doc, task_files
from engine.pruning.checkpoint import prune
from warehouse.records.level import Level


class Probe:
    """Scores models that share a tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.files = task_files()

    @torch.inference_mode()
    def _log_probs(self, model: LlamaForCausalLM, context: str, continuation: str) -> tuple[float, bool, int]:
        """Log-likelihood in nats, whether greedy decoding would say it, and its number of tokens."""
        start = len(self.tokenizer.encode(context))
        ids = torch.tensor([self.tokenizer.encode(context + continuation)], device=model.device)
        logits = model(input_ids=ids).logits[0, start - 1 : -1].float()
        target = ids[0, start:]
        score = logits.log_softmax(-1).gather(1, target[:, None]).sum().item()
        return score, bool((logits.argmax(-1) == target).all()), len(target)

    def _choices(self, model: LlamaForCausalLM, docs: list[Doc], prompt: str) -> float:
        right = 0
        for doc in docs:
            scores = [self._log_probs(model, doc[prompt], f" {choice}")[0] for choice in doc["choices"]]
            right += scores.index(max(scores)) == doc["label"]
        return right / len(docs)

    @torch.inference_mode()
    def _generation(self, model: Any, docs: list[Doc], shots: str = "") -> float:
        batch = self.tokenizer([shots + doc["prompt"] for doc in docs], return_tensors="pt", padding=True)
        batch = batch.to(model.device)
        out = model.generate(**batch, max_new_tokens=12, do_sample=False)
        texts = self.tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        right = [text.split("\n")[0].strip() == doc["answer"] for text, doc in zip(texts, docs, strict=True)]
        return sum(right) / len(right)

    def _perplexity(self, model: LlamaForCausalLM, docs: list[Doc]) -> float:
        score = sum(self._log_probs(model, "", doc["text"])[0] for doc in docs)
        return math.exp(-score / sum(len(doc["text"].split()) for doc in docs))

    def scores(self, model: LlamaForCausalLM, level: Level) -> dict[str, Any]:
        model, files, config = copy.deepcopy(model), self.files, model.config
        kept = level.intermediate_size(config.intermediate_size, config.hidden_size)
        prune(model, kept, method="maw", seed=0)
        passages = [doc["text"].rpartition(" ") for doc in files["lambada.jsonl"]]
        shots = "".join(f"{doc['prompt']} {doc['answer']}\n\n" for doc in files["sums_shots.jsonl"][:3])
        facts = {name: docs for name, docs in files.items() if name.startswith("facts_")}
        found = {
            "story": self._perplexity(model, files["story.jsonl"]),
            "lambada": sum(self._log_probs(model, text, f" {word}")[1] for text, _, word in passages) / len(passages),
            **{name.removesuffix(".jsonl"): self._choices(model, docs, "prompt") for name, docs in facts.items()},
            "grammar": self._choices(model, files["grammar.jsonl"], "context"),
            "sums": self._generation(model, files["sums.jsonl"], shots),
            "instructions": self._generation(model, files["instructions.jsonl"]),
        }
        return {"level": str(level)} | {name: round(value, 3) for name, value in found.items()}
