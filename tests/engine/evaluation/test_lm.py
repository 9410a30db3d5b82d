"""Our LM class gives lm-eval the answers that lm-eval's own HFLM gives, on real benchmark rows in float32."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import one_in
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from engine.demo.paths import MODEL_DIR, TASKS_DIR
from engine.evaluation.lm import PrunedLM
from engine.evaluation.scoring import aggregate, score
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import TaskSet, build_tasks
from engine.evaluation.writer import _decodes_plainly
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.facts import CellFacts
from warehouse.records.level import Level

# Name (with shots where the study sets them) → documents, chosen so that all request types and lengths occur.
CASES = {
    "piqa": 24,
    "hellaswag": 10,
    "arc_challenge": 10,
    "lambada_openai": 20,
    "truthfulqa_mc2": 4,
    "winogrande": 12,
    "boolq": 4,
    "mmlu_abstract_algebra@5": 6,
    "mmlu_high_school_us_history@5": 2,  # five shots are longer than the model's context: truncated
    "wikitext": 1,  # many windows
    "gsm8k@5": 3,
}


@pytest.fixture(scope="module")
def index(benchmarks: Any) -> Iterator[TaskManager]:
    """The benchmarks' tasks, for both sides."""
    manager = TaskManager(include_path=str(benchmarks.tasks), include_defaults=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.evaluation.task_loading._manager", lambda names, folders: manager)
        yield manager


@pytest.fixture(scope="module")
def pair(benchmarks: Any) -> tuple[Any, PrunedLM]:
    # GSM8K's answers are up to 256 tokens long, which the demo model, made for 256, must have room for.
    room = {"max_position_embeddings": 512}
    model = AutoModelForCausalLM.from_pretrained(benchmarks.model, dtype=torch.float32, **room).eval()
    tokenizer = AutoTokenizer.from_pretrained(benchmarks.model, model_max_length=512)
    hflm: Any = get_model("hf")
    return hflm(pretrained=model, tokenizer=tokenizer, batch_size=8), PrunedLM(model, tokenizer, batch_tokens=4096)


ODD_PAIRS = {
    "no context": ("", "Once upon a time"),
    "no context, and it begins with the BOS token": ("", "<s>Once"),
    "the context ends in spaces": ("Once upon a  ", "time"),
    "tokens merge across the boundary": ("Once upon a ti", "me there was"),
    "Unicode": ("Ein Bär — 熊 🐻", " aß Käse\n\tété"),
    "one token": ("Lily said", ' "'),
    "the context says BOS itself": ("<s>Lily said", " hello"),
    "the context is longer than the model's": ("Lily went home. " * 200, "She was happy."),
    "the continuation is long": ("Lily", " went home and" * 60),
}


def test_odd_requests_are_answered_as_by_hflm(pair: tuple[Any, PrunedLM]) -> None:
    requests = [
        Instance(request_type="loglikelihood", doc={}, arguments=arguments, idx=index)
        for index, arguments in enumerate(ODD_PAIRS.values())
    ]
    for name, theirs, mine in zip(ODD_PAIRS, *(lm.loglikelihood(requests) for lm in pair), strict=True):
        assert mine[0] == pytest.approx(theirs[0], rel=1e-4), name
        assert mine[1] == theirs[1], name


STOPS = {
    "a string of several tokens": {"until": ["the little girl", "."], "max_gen_toks": 40},
    "one that may be cut by the check's window": {"until": [" was"], "max_gen_toks": 60},
    "none": {"until": [], "max_gen_toks": 30},
    "sampling that is greedy after all": {"do_sample": False, "temperature": 0.0, "top_p": 1.0, "max_gen_toks": 20},
    "a repetition penalty": {"repetition_penalty": 1.3, "until": ["\n"], "max_gen_toks": 40},
    "no repeated triples": {"no_repeat_ngram_size": 3, "max_gen_toks": 60},
    "forbidden words and a bias": {"bad_words_ids": [[5, 6], [300]], "sequence_bias": [[[9], 2.0]], "max_gen_toks": 20},
    "left to transformers": {"min_new_tokens": 12, "until": ["."], "max_gen_toks": 20},
}


@pytest.mark.parametrize("kwargs", one_in(3, STOPS.values()), ids=list(STOPS))
def test_generations_stop_as_hflms_do(kwargs: dict[str, Any], pair: tuple[Any, PrunedLM]) -> None:
    contexts = ["Once upon a time", "Lily and Tom went to the park. They", "One day,", "The dog was sad. " * 90]
    requests = [
        Instance(request_type="generate_until", doc={}, arguments=(context, kwargs), idx=index)
        for index, context in enumerate(contexts)
    ]
    theirs, mine = (lm.generate_until(requests) for lm in pair)
    assert mine == theirs


@pytest.mark.slow
@pytest.mark.parametrize("multiturn", [False, True], ids=["one turn", "a turn for each shot"])
@pytest.mark.parametrize("task", one_in(2, ["demo_facts", "demo_sums@3"]))
def test_with_chat_template_and_system_instruction_too(
    task: str, multiturn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = TaskManager(include_path=str(TASKS_DIR), include_defaults=False)
    monkeypatch.setattr("engine.evaluation.task_loading._manager", lambda names, folders: manager)
    model: Any = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR)
    hflm: Any = get_model("hf")
    reference = hflm(pretrained=model, tokenizer=tokenizer, batch_size=8)
    ours = PrunedLM(model, tokenizer, batch_tokens=2048)
    chat = {"apply_chat_template": True, "fewshot_as_multiturn": multiturn, "system_instruction": "Answer in a word."}
    spec = TaskSpec.parse(task)
    expected: Any = simple_evaluate(
        model=reference,
        tasks=[spec.name],
        num_fewshot=spec.num_fewshot,
        limit=6,
        task_manager=manager,
        bootstrap_iters=0,
        **chat,
    )
    plan = RunPlan(name="t", model="demo", levels=(Level.parse("0"),), tasks=(spec,), limit=6, **chat)
    for part in build(plan, ours).tasks:
        theirs = expected["samples"][part.name]
        asked = [argument for sample in theirs for argument in sample["arguments"]]
        assert [instance.args for instance in part.instances] == [tuple(argument) for argument in asked]
        for metric in score(part, ours)[0]:
            assert metric.value == pytest.approx(expected["results"][part.name][f"{metric.metric},{metric.filter}"])


def plan_for(task: str, limit: int, tasks: Path) -> RunPlan:
    return RunPlan(
        name="test",
        model="any",
        levels=(Level.parse("0"),),
        tasks=(TaskSpec.parse(task),),
        limit=limit,
        include_paths=(str(tasks),),
    )


def build(plan: RunPlan, lm: PrunedLM) -> TaskSet:
    tasks = load_tasks(plan)
    return build_tasks(tasks, plan, lm, lambda: None)


def answers(lm: Any, instances: list[Instance]) -> list[Any]:
    by_type: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_type[instance.request_type].append(instance)
    return [answer for kind, some in by_type.items() for answer in getattr(lm, kind)(some)]


@pytest.mark.parametrize(("task", "limit"), CASES.items())
def test_every_request_is_answered_as_by_hflm(
    task: str, limit: int, pair: tuple[Any, PrunedLM], benchmarks: Any, index: TaskManager
) -> None:
    reference, ours = pair
    [built] = build(plan_for(task, limit, benchmarks.tasks), ours).tasks
    expected, found = answers(reference, built.instances), answers(ours, built.instances)
    assert len(found) == len(expected) > 0
    for theirs, mine in zip(expected, found, strict=True):
        match theirs:
            case str():
                assert mine == theirs
            case float():
                assert mine == pytest.approx(theirs, rel=1e-4)
            case log_likelihood, greedy:
                assert mine[0] == pytest.approx(log_likelihood, rel=1e-4)
                assert mine[1] == greedy


@pytest.mark.slow
@pytest.mark.parametrize("task", ["piqa", "lambada_openai", "wikitext", "gsm8k@5", "leaderboard_musr"])
def test_every_metric_is_the_one_simple_evaluate_reports(
    task: str, pair: tuple[Any, PrunedLM], benchmarks: Any, index: TaskManager
) -> None:
    reference, ours = pair
    limit = 2 if task in ("wikitext", "gsm8k@5", "leaderboard_musr") else 20
    plan = plan_for(task, limit, benchmarks.tasks)
    spec = plan.tasks[0]
    expected: Any = simple_evaluate(
        model=reference,
        tasks=[spec.name],
        num_fewshot=spec.num_fewshot,
        limit=limit,
        task_manager=index,
        bootstrap_iters=1000,
    )
    assert expected is not None
    built = build(plan, ours)
    cells: dict[str, CellFacts] = {}
    for part in built.tasks:
        metrics, _ = score(part, ours)
        cells[part.name] = CellFacts(
            level="0",
            task=part.name,
            part_of=part.facts.part_of,
            is_group=False,
            version=part.facts.version,
            num_fewshot=part.facts.num_fewshot,
            seconds=0.0,
            metrics=metrics,
        )
    found = {name: cell.metrics for name, cell in cells.items()}
    for group in built.groups:
        metrics = aggregate(group, cells)
        assert metrics is not None
        found[group.name] = metrics

    for name, metrics in found.items():
        theirs = expected["results"][name]
        reported = {key for key in theirs if "," in key and "_stderr" not in key}
        assert {f"{metric.metric},{metric.filter}" for metric in metrics} == reported
        for metric in metrics:
            # What is off by 1e-5 in a sum of log-likelihoods, which float32 is, is off by that share after exp.
            rel = 1e-4 if "perplexity" in metric.metric else 1e-6
            assert metric.value == pytest.approx(theirs[f"{metric.metric},{metric.filter}"], rel=rel)
            stderr = theirs[f"{metric.metric}_stderr,{metric.filter}"]
            if stderr == "N/A":
                assert metric.stderr is None
            else:
                assert metric.stderr == pytest.approx(stderr, rel=rel)
            assert metric.higher_is_better == expected["higher_is_better"][name][metric.metric]
            if name in cells:
                assert metric.n == expected["n-samples"][name]["effective"]


def test_a_tokenizer_that_cleans_up_spaces_is_asked_text_by_text() -> None:
    """All texts at once would come without its cleaning."""
    words = ["It", "is", "n't", "so", ".", "?", "he", ",", "!", "'", "s"]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="."))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    plain, cleaning = (
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=".", clean_up_tokenization_spaces=cleans)
        for cleans in (False, True)
    )
    assert _decodes_plainly(plain)
    assert not _decodes_plainly(cleaning)
    assert _decodes_plainly(AutoTokenizer.from_pretrained(MODEL_DIR))
