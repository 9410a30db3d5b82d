"""Tokens kept between runs are those that would be made anew; whatever they follow from is told apart."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR, TASKS_DIR
from engine.evaluation import task_loading, token_cache
from engine.evaluation.lm import PrunedLM
from engine.evaluation.scoring import score
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import build_tasks
from engine.evaluation.token_cache import DamagedError, Encoding, TokenCache, decoded, encoded
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import parse_levels


def tokens(*numbers: int) -> Any:
    return np.array(numbers, np.int32)


SHARED = tokens(5, 6, 7)
ENCODINGS: list[Encoding] = [(SHARED, tokens(1)), (SHARED, tokens(2, 3)), (tokens(),), (tokens(2**31 - 1),), ()]


def same(found: Any, expected: Any) -> bool:
    return [[part.tolist() for part in one] for one in found] == [[part.tolist() for part in one] for one in expected]


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path)


def test_what_was_kept_is_what_is_found(cache: TokenCache) -> None:
    assert cache.read("k", 5) is None
    cache.write("k", ENCODINGS)
    found = cache.read("k", 5)
    assert found is not None
    assert same(found, ENCODINGS)
    assert found[0][0] is found[1][0]  # equal sequences are one
    assert {part.dtype for one in found for part in one} == {np.dtype(np.int32)}


def test_a_file_that_is_not_as_it_was_written_is_made_anew_and_said_so(
    cache: TokenCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write("k", ENCODINGS)
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    for at in (0, 30, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        caplog.clear()
        assert cache.read("k", 5) is None
        assert "damaged" in caplog.text
        assert not path.exists()
    cache.write("k", ENCODINGS)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "arrays",
    [
        [[1], [7], [1], [1]],  # a sequence that is not there
        [[2], [7], [1], [0]],  # lengths that do not add up
        [[1], [7], [2], [0]],
        [[-1, 2], [7], [1], [0]],
        [[1], [7], [1, 0], [0]],  # of two requests
        [[1], [-7], [1], [0]],
    ],
)
def test_a_whole_file_of_numbers_that_make_no_sense_is_refused(arrays: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good = encoded([(tokens(7),)])
    assert same(decoded(good, 1), [[tokens(7)]])
    counts = json.dumps([len(array) for array in arrays]).encode() + b"\n"
    flat = np.array([number for array in arrays for number in array], "<i4").tobytes()
    told = counts + token_cache.pa.compress(flat, "zstd", asbytes=True)
    with pytest.raises(DamagedError):
        decoded(token_cache._FORM + token_cache.sha256(told).digest() + told, 1)
    with pytest.raises(DamagedError):
        decoded(good, 2)


def test_beyond_the_bound_the_least_recently_used_is_removed(cache: TokenCache, tmp_path: Path) -> None:
    size = len(encoded(ENCODINGS))
    bounded = TokenCache(tmp_path, max_bytes=2 * size)
    for age, key in enumerate("ab"):
        bounded.write(key, ENCODINGS)
        os.utime(tmp_path / f"{key}.tokens", (age, age))
    assert bounded.read("a", 5) is not None
    bounded.write("c", ENCODINGS)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a", "c"]
    TokenCache(tmp_path, max_bytes=size - 1).write("d", ENCODINGS)
    assert not (tmp_path / "d.tokens").exists()


def test_what_another_process_left_half_written_goes_after_a_while(cache: TokenCache, tmp_path: Path) -> None:
    for name, age in ((".new-old", 0.0), (".new-now", None)):
        (tmp_path / name).write_bytes(b"half")
        if age is not None:
            os.utime(tmp_path / name, (age, age))
    cache.write("k", ENCODINGS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-now", "k.tokens"]


def _write_often(folder: Path) -> None:
    cache = TokenCache(folder)
    for _ in range(30):
        cache.write("k", ENCODINGS)
        assert cache.read("k", 5) is not None


def test_two_at_once_never_see_half_an_entry(tmp_path: Path) -> None:
    others = [multiprocessing.get_context("fork").Process(target=_write_often, args=(tmp_path,)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["k.tokens"]


def test_where_nothing_can_be_kept_work_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    cache = TokenCache(tmp_path / "file")
    cache.write("k", ENCODINGS)
    assert "cannot be kept" in caplog.text
    assert cache.read("k", 5) is None


TASK = """
task: mine
custom_dataset: !function data.load
test_split: test
fewshot_split: train
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{c}}"
doc_to_target: "{{l}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
"""
DATA = """
from datasets import Dataset, DatasetDict

def load(**_):
    rows = [{"q": f"Is it {number}?", "c": [" yes", " no"], "l": number % 2} for number in range(9)]
    return DatasetDict(test=Dataset.from_list(rows[:5]), train=Dataset.from_list(rows[5:]))
"""
PLAN = RunPlan(
    name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("mine", 2),), limit=3, trust_task_code=True
)
Build = Callable[..., Any]


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def usual(model: Any) -> PrunedLM:
    return PrunedLM(model, AutoTokenizer.from_pretrained(MODEL_DIR), batch_tokens=512)


@pytest.fixture
def run(tmp_path: Path, model: Any, usual: PrunedLM, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds the task as a new process would; returns it, its language model, and whether its tokens were kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hits: list[bool] = []
    plain = TokenCache.read

    def read(cache: TokenCache, key: str, requests: int) -> Any:
        found = plain(cache, key, requests)
        hits.append(found is not None)
        return found

    monkeypatch.setattr(TokenCache, "read", read)
    folders = iter(range(100))

    def build(
        *changes: tuple[str, str], tokenizer: Callable[[Any], object] | None = None, **settings: Any
    ) -> tuple[Any, PrunedLM, bool | None]:
        folder = tmp_path / str(next(folders))  # lm-eval keeps modules by their path
        folder.mkdir()
        for name, text in (("mine.yaml", TASK), ("data.py", DATA)):
            for old, new in changes:
                text = text.replace(old, new)
            (folder / name).write_text(text)
        manager = TaskManager(include_path=[TASKS_DIR, folder], include_defaults=False)
        monkeypatch.setattr(task_loading, "_manager", lambda names, folders: manager)
        lm = usual
        if tokenizer is not None:
            made: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
            tokenizer(made)
            lm = PrunedLM(model, made, batch_tokens=512)
        plan = replace(PLAN, include_paths=(str(folder),), **settings)
        hits.clear()
        [built] = build_tasks(load_tasks(plan), plan, lm, lambda: None).tasks
        return built, lm, hits[0] if hits else None

    return build


def asked(built: Any, lm: PrunedLM) -> Any:
    return [(one.request_type, one.doc, one.args, one.metadata, same_tokens(lm, one)) for one in built.instances]


def same_tokens(lm: PrunedLM, instance: Any) -> list[list[int]]:
    return [part.tolist() for part in lm.tokens_of(instance)]


KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    "choices": (),
    "repeats": (("task: mine", "task: mine\nrepeats: 2"),),
    "log-likelihoods": (("multiple_choice", "loglikelihood"), ('doc_to_choice: "{{c}}"\n', "")),
    "whole texts": (
        ("multiple_choice", "loglikelihood_rolling"), ('doc_to_choice: "{{c}}"\n', ""), ("aggregation: mean, ", ""),
        ("metric: acc", "metric: bits_per_byte"), ("{{l}}", "{{q}} {{q}}"),
    ),
    "texts to write": (
        ("multiple_choice", "generate_until\ngeneration_kwargs: {until: ['.'], max_gen_toks: 3, do_sample: false}"),
        ('doc_to_choice: "{{c}}"\n', ""), ("metric: acc", "metric: exact_match"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("changes", KINDS.values(), ids=list(KINDS))
def test_with_and_without_the_cache_all_bits_are_equal(run: Build, changes: Any) -> None:
    without, at_first, then = run(*changes, use_cache=False), run(*changes), run(*changes)
    assert [hit for _, _, hit in (without, at_first, then)] == [None, False, True]
    expected = asked(*without[:2])
    assert asked(*at_first[:2]) == asked(*then[:2]) == expected
    assert without[0].facts == at_first[0].facts == then[0].facts
    scores = [score(built, lm) for built, lm, _ in (without, at_first, then)]
    assert scores[0] == scores[1] == scores[2]


def test_without_the_cache_nothing_is_written(run: Build, tmp_path: Path) -> None:
    run(use_cache=False)
    assert not (tmp_path / "cache" / "prune-tui" / "tokens").exists()


CHANGED: dict[str, dict[str, Any]] = {
    "shots": {"tasks": (TaskSpec("mine", 1),)},
    "the seed that draws shots": {"seeds": (0, 1234, 1234, 7)},
    "limit": {"limit": 2},
    "system prompt": {"system_instruction": "Be brief."},
}
REWRITTEN = {
    "the task's template": ("{{q}}", "Q: {{q}}"),
    "what stands before an answer": ("output_type", "target_delimiter: ':'\noutput_type"),
    "the task's name": ("task: mine", "task: mine\ndescription: 'Say.'"),
    "the task's data": ("range(9)", "range(1, 10)"),
    "the task's code": ("Is it {number}?", "Is it so, {number}?"),
}


@pytest.mark.parametrize("settings", CHANGED.values(), ids=list(CHANGED))
def test_another_plan_finds_nothing(run: Build, settings: Any) -> None:
    run()
    assert run()[2]
    assert run(**settings)[2] is False


@pytest.mark.parametrize("change", REWRITTEN.values(), ids=list(REWRITTEN))
def test_another_task_finds_nothing(run: Build, change: tuple[str, str]) -> None:
    run()
    assert run(change)[2] is False


def test_another_tokenizer_finds_nothing(run: Build) -> None:
    run()
    assert run(tokenizer=lambda made: made.add_tokens(["so, 3"]))[2] is False
    assert run(tokenizer=lambda made: setattr(made, "split_special_tokens", True))[2] is False


def test_another_chat_template_finds_nothing(run: Build) -> None:
    def templated(begin: str) -> Any:
        template = f"{{% for turn in messages %}}{begin}{{{{ turn['content'] }}}}{{% endfor %}}"
        return run(tokenizer=lambda made: setattr(made, "chat_template", template), apply_chat_template=True)[2]

    assert [templated("U: "), templated("U: "), templated("H: "), run()[2]] == [False, True, False, False]


@pytest.mark.parametrize("program", ["lm-eval", "tokenizers", "transformers"])
def test_another_version_finds_nothing(run: Build, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    plain = token_cache.version
    monkeypatch.setattr(token_cache, "version", lambda name: "0" if name == program else plain(name))
    assert run()[2] is False


def test_a_damaged_entry_is_made_anew(run: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = asked(*run()[:2])
    [path] = (tmp_path / "cache" / "prune-tui" / "tokens").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    built, lm, hit = run()
    assert hit is False
    assert asked(built, lm) == expected
    assert "damaged" in caplog.text
    assert run()[2]


def test_a_tokenizer_with_code_of_its_own_is_not_kept(run: Build, tmp_path: Path) -> None:
    class Own(type(AutoTokenizer.from_pretrained(MODEL_DIR))):
        def _encode_plus(self, *args: Any, **kwargs: Any) -> Any:
            return super()._encode_plus(*args, **kwargs)

    assert run(tokenizer=lambda made: setattr(made, "__class__", Own))[2] is None
    assert not list((tmp_path / "cache" / "prune-tui" / "tokens").glob("*"))
