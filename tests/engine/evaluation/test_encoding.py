"""What cannot be asked of a model is said in a sentence when a task's requests are made; the rest is scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import build_tasks
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import Level

Ask = Callable[..., Any]


def bare_tokenizer() -> Any:
    """The demo's without BOS and EOS, and with nothing that is put before a text."""
    content = json.loads((MODEL_DIR / "tokenizer.json").read_text()) | {"post_processor": None}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(content)))


def lm_of(tokenizer: Any) -> PrunedLM:
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()
    return PrunedLM(model, tokenizer, batch_tokens=512)


@pytest.fixture(scope="module")
def bare() -> PrunedLM:
    return lm_of(bare_tokenizer())


@pytest.fixture(scope="module")
def usual() -> PrunedLM:
    return lm_of(AutoTokenizer.from_pretrained(MODEL_DIR))


def instance(kind: Any, *arguments: Any) -> Instance:
    return Instance(kind, {}, arguments, 0, ("made_up", 3, 1))


@torch.no_grad()
def by_hand(lm: PrunedLM, tokens: list[int], count: int) -> float:
    logits = lm.model(torch.tensor([tokens[:-1]])).logits[0].log_softmax(-1)
    return float(logits[-count:].gather(1, torch.tensor(tokens[-count:])[:, None]).sum())


def test_without_bos_and_eos_a_choice_after_a_context_is_scored(bare: PrunedLM) -> None:
    whole, start = bare.tok_encode("Anna likes tea"), bare.tok_encode("Anna likes")
    [(found, _)] = bare.loglikelihood([instance("loglikelihood", "Anna likes", " tea")])
    assert found == pytest.approx(by_hand(bare, whole, len(whole) - len(start)), rel=1e-5)
    assert bare.generate_until([instance("generate_until", "Anna likes", {"until": ["\n"], "max_gen_toks": 5})])[0]


NO_PREFIX = "neither BOS nor EOS"
CANNOT: dict[str, tuple[str, Instance, str]] = {
    "no context and nothing to begin with": ("bare", instance("loglikelihood", "", "Anna"), NO_PREFIX),
    "a whole text and nothing to begin with": ("bare", instance("loglikelihood_rolling", "Anna is"), NO_PREFIX),
    "no prompt": ("bare", instance("generate_until", "", {"max_gen_toks": 5}), "prompt has no tokens"),
    "a context of spaces": ("bare", instance("loglikelihood", "  ", ""), "has no tokens"),
    "an empty choice": ("usual", instance("loglikelihood", "Anna likes", ""), "answer '' has no tokens"),
    "an empty choice without context": ("usual", instance("loglikelihood", "", ""), "answer '' has no tokens"),
    "a choice that is the BOS token": ("usual", instance("loglikelihood", "", "<s>"), "answer '<s>' has no tokens"),
    "a choice longer than the context": ("usual", instance("loglikelihood", "a", " b c" * 900), "longer than the"),
    "more tokens than fit": (
        "usual", instance("generate_until", "a", {"until": [], "max_gen_toks": 10**6}), "lower the task's max_gen_toks",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("which", "asked", "sentence"), CANNOT.values(), ids=list(CANNOT))
def test_what_cannot_be_asked_is_said_with_the_tasks_name(
    which: str, asked: Instance, sentence: str, request: pytest.FixtureRequest
) -> None:
    lm: PrunedLM = request.getfixturevalue(which)
    with pytest.raises(UserError, match=sentence) as refusal:
        lm.encode([asked])
    assert str(refusal.value).startswith("Task 'made_up', document 3: ")
    assert "\n" not in str(refusal.value)


def test_spaces_at_the_end_of_a_context_make_an_empty_choice_one_that_can_be_scored(usual: PrunedLM) -> None:
    whole, start = usual.tok_encode("Anna likes "), usual.tok_encode("Anna likes")
    [(found, _)] = usual.loglikelihood([instance("loglikelihood", "Anna likes ", "")])
    assert found == pytest.approx(by_hand(usual, whole, len(whole) - len(start)), rel=1e-5)


def test_an_empty_text_has_the_likelihood_that_lm_eval_gives_it(usual: PrunedLM) -> None:
    hflm: Any = get_model("hf")
    reference = hflm(pretrained=usual.model, tokenizer=usual.tokenizer, batch_size=1)
    asked = [instance("loglikelihood_rolling", ""), instance("loglikelihood_rolling", "Anna")]
    expected = reference.loglikelihood_rolling(asked, disable_tqdm=True)
    assert usual.loglikelihood_rolling(asked) == pytest.approx(expected, rel=1e-5)


def test_a_prompt_without_tokens_cannot_be_continued_by_lm_eval_either(usual: PrunedLM) -> None:
    tokenizer = bare_tokenizer()
    tokenizer.add_special_tokens({"eos_token": "</s>"})
    asked = [instance("generate_until", "", {"max_gen_toks": 5})]
    hflm: Any = get_model("hf")
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever its libraries raise
        hflm(pretrained=usual.model, tokenizer=tokenizer, batch_size=1).generate_until(asked, disable_tqdm=True)
    with pytest.raises(UserError, match="prompt has no tokens"):
        lm_of(tokenizer).encode(asked)


class TestATokenizerLargerThanTheEmbedding:
    @pytest.fixture(scope="class")
    def lm(self) -> PrunedLM:
        tokenizer: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
        tokenizer.add_tokens(["<|new|>"])
        return lm_of(tokenizer)

    def test_scores_what_it_has_tokens_for(self, lm: PrunedLM, usual: PrunedLM) -> None:
        asked = [instance("loglikelihood", "Anna likes", " tea")]
        assert lm.loglikelihood(asked) == usual.loglikelihood(asked)

    @pytest.mark.parametrize(
        "asked",
        [
            instance("loglikelihood", "Anna <|new|>", " tea"),
            instance("loglikelihood", "Anna likes", " tea<|new|>"),
            instance("loglikelihood_rolling", "Anna <|new|>"),
            instance("generate_until", "Anna <|new|>", {"max_gen_toks": 5}),
        ],
        ids=["context", "choice", "text", "prompt"],
    )
    def test_names_the_token_that_the_model_does_not_know(self, lm: PrunedLM, asked: Instance) -> None:
        with pytest.raises(UserError, match=r"Task 'made_up'.*'<\|new\|>'.*knows only"):
            lm.encode([asked])


@pytest.mark.slow
def test_building_a_task_refuses_what_cannot_be_scored(tmp_path: Path, bare: PrunedLM) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "Anna likes", "a": " tea"}\n{"q": "", "a": "Ben"}\n')
    (tmp_path / "rows.yaml").write_text(
        f"task: rows\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {tmp_path}/rows.jsonl}}}}\n"
        "test_split: test\noutput_type: loglikelihood\ndoc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\n"
        "target_delimiter: ''\nmetric_list: [{metric: acc}]\n"
    )
    plan = RunPlan(
        name="t", model="demo", levels=(Level.parse("0"),), tasks=(TaskSpec("rows"),), include_paths=(str(tmp_path),)
    )
    tasks = load_tasks(plan)
    with pytest.raises(UserError, match=f"Task 'rows', document 1: .*{NO_PREFIX}"):
        build_tasks(tasks, plan, bare, lambda: None)
