"""The text that neurons are looked at on: the model's own, a file's or a task's, and never what a run evaluates on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.api.task import Task

from engine.calibration import own_text as own_text_module
from engine.calibration.calibrating import calibrate
from engine.calibration.damage_text import damage_text
from engine.calibration.for_saving import text_for
from engine.calibration.held_out import HeldOut
from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import tasks_called
from engine.evaluation.whole_documents import whole_documents
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration
from engine.pruning.loading import load_model

FEWEST = 4 * 512  # tokens, of the demo model
STORY = "Once there was a cat in Norwood. It had a red ball, and it lost the ball near the old mill. "


@pytest.fixture(scope="module")
def lm() -> PrunedLM:
    return PrunedLM(*load_model(str(MODEL_DIR), dtype=torch.float32, device=torch.device("cpu")))


def made(lm: PrunedLM, source: str, said: list[str] | None = None, **options: Any) -> Calibration:
    say: Callable[[str], None] = (said if said is not None else []).append
    options = {"tokens": FEWEST, "seed": 0, "find_tasks": tasks_called} | options
    return calibrate(CalibrationSource.parse(source), lm, say=say, **options)


@pytest.mark.slow
def test_the_model_writes_its_own_text_the_same_for_a_seed(lm: PrunedLM) -> None:
    text = made(lm, "self", length=64)
    assert (text.count, text.source, text.seed) == (FEWEST, "self", 0)
    assert text.length <= 64
    assert (text.tokens[:, 0] == lm.prefix_token_id).all()
    assert not (text.tokens[:, 1:] == lm.eot_token_id).any()
    assert made(lm, "self", length=64).hash == text.hash
    assert made(lm, "self", length=64, seed=1).hash != text.hash
    assert "lives in" in lm.tokenizer.decode(text.tokens[text.tokens >= 0])


@pytest.mark.slow
def test_where_our_decoder_does_not_know_a_model_transformers_writes(
    lm: PrunedLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lm, "generator", None)
    text = made(lm, "self", length=40)
    assert text.count == FEWEST
    assert made(lm, "self", length=40).hash == text.hash
    assert not (text.tokens[:, 1:] == lm.eot_token_id).any()


def test_a_model_that_ends_its_texts_at_once_is_refused(lm: PrunedLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_text_module, "_drawn", lambda lm, begin, count, *rest: [[5]] * count)
    with pytest.raises(UserError, match=r"ends the texts that it writes itself after 2\.0 tokens on average"):
        made(lm, "self")


def test_a_file_is_cut_into_sequences_that_begin_as_texts_do(lm: PrunedLM, tmp_path: Path) -> None:
    path = tmp_path / "stories.txt"
    path.write_text(STORY * 300)
    text = made(lm, str(path), length=50)
    assert (text.count, text.length, text.seed) == (FEWEST, 50, None)
    assert (text.tokens[:, 0] == lm.prefix_token_id).all()
    begun = lm.tokenizer.decode(text.tokens[0, 1:])
    assert STORY.startswith(begun[: len(STORY)]) or begun.startswith(STORY[:60])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\xff\xfe\x00text", "is not in UTF-8"),
        (STORY.encode(), rf"has \d+ tokens for this model, and {FEWEST:,} are needed"),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_a_sentence(
    lm: PrunedLM, tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=why):
        made(lm, str(path))


def test_fewer_tokens_than_the_neurons_need_are_refused(lm: PrunedLM) -> None:
    with pytest.raises(UserError, match="--calibration-tokens 2,047 is too few for layers of 512 neurons: give at"):
        made(lm, "self", tokens=2047)


def test_a_shorter_file_than_was_asked_for_is_taken_whole_and_said(lm: PrunedLM, tmp_path: Path) -> None:
    path, said = tmp_path / "stories.txt", list[str]()
    path.write_text(STORY * 120)
    text = made(lm, str(path), said, tokens=50_000)
    assert FEWEST < text.count < 50_000
    assert said == [f"{path} has {text.count:,} tokens, fewer than the 50,000 that --calibration-tokens asks for."]


@pytest.mark.parametrize(
    ("on_gpu", "own", "tokens", "length"),
    [(True, True, 131_072, 512), (True, False, 131_072, 2048), (False, True, 131_072, 256)],
)
def test_how_much_is_chosen(on_gpu: bool, own: bool, tokens: int, length: int) -> None:
    chosen = CalibrationAmount.chosen(
        tokens=None, length=None, on_gpu=on_gpu, own_text=own, intermediate_size=8192, context=4096
    )
    assert (chosen.tokens, chosen.length, chosen.fewest) == (tokens, length, 4 * 8192)


def test_sequences_longer_than_the_models_context_are_refused() -> None:
    with pytest.raises(UserError, match="--calibration-length 300: give 2 to 256"):
        CalibrationAmount.chosen(
            tokens=None, length=300, on_gpu=False, own_text=True, intermediate_size=512, context=256
        )


class Asked:
    """As much of a task as is needed to have documents."""

    task_name = "quiz"

    def __init__(self, evaluated: Sequence[str], training: Sequence[str] | None = None) -> None:
        self.eval_docs, self._training = evaluated, training

    def doc_to_text(self, document: str) -> str:
        return f"Question: {document}\nAnswer:"

    def doc_to_target(self, document: str) -> str:
        return "yes"

    def get_config(self, key: str) -> None:
        return None

    def has_training_docs(self) -> bool:
        return self._training is not None

    def training_docs(self) -> Sequence[str]:
        return self._training or ()


def quiz(evaluated: Sequence[str], training: Sequence[str] | None = None) -> Task:
    return Asked(evaluated, training)  # type: ignore[return-value]


QUESTION = "Did the baker of Norwood ever tell the old miller where the seven red boats were kept during that winter?"
OTHERS = [f"Does the {thing} of house number {n} belong to a friend of the {thing} next door or to nobody at all?"
          for n in range(40) for thing in ("cat", "boat", "chair")]  # fmt: skip


def test_a_document_is_recognised_whatever_its_case_spacing_and_punctuation() -> None:
    held_out = HeldOut.of(whole_documents([quiz([QUESTION, "Is it so?"])]))
    assert held_out.within(f"Before. {QUESTION.upper()}\n\nAfter") == ["quiz"]
    assert held_out.within(QUESTION.replace(" ", "\n  ").replace("?", " !")) == ["quiz"]
    assert held_out.within("Did the baker of Norwood ever tell the young miller a story? Is it so?") == []


def test_a_file_with_documents_of_the_run_is_refused(lm: PrunedLM, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(STORY * 30 + QUESTION + STORY * 100)
    with pytest.raises(UserError, match=r"holds 1 of the documents that this run evaluates on \(quiz\)"):
        made(lm, str(path), evaluated=lambda: whole_documents([quiz([QUESTION])]))
    assert made(lm, str(path), evaluated=lambda: whole_documents([quiz([OTHERS[0]])])).count == FEWEST


def test_a_tasks_training_documents_leave_those_out_that_the_run_asks(lm: PrunedLM) -> None:
    said: list[str] = []
    training = [*OTHERS, QUESTION]
    text = made(
        lm,
        "task:quiz",
        said,
        find_tasks=lambda name: [quiz([], training)],
        evaluated=lambda: whole_documents([quiz([QUESTION])]),
    )
    assert text.source == "task:quiz"
    told = lm.tokenizer.decode(text.tokens[text.tokens >= 0])
    assert "Question: Does the" in told
    assert "baker of Norwood" not in told
    assert len(said) <= 1


def test_training_documents_that_are_the_evaluations_own_are_refused(lm: PrunedLM) -> None:
    with pytest.raises(UserError, match=r"documents are what this run evaluates on \(quiz\), so scores"):
        made(
            lm,
            "task:quiz",
            find_tasks=lambda name: [quiz([], OTHERS)],
            evaluated=lambda: whole_documents([quiz(OTHERS[:30])]),
        )


def test_a_task_without_training_documents_is_refused(lm: PrunedLM) -> None:
    with pytest.raises(UserError, match="Task 'quiz' has no training documents to calibrate on"):
        made(lm, "task:quiz", find_tasks=lambda name: [quiz([])])


def test_a_task_of_lm_evals_own_kind_is_read(lm: PrunedLM) -> None:
    with pytest.raises(UserError, match=r"The training split of 'demo_sums' has \d+ tokens for this model"):
        made(lm, "task:demo_sums")


def test_the_text_of_a_run_is_not_mixed_with_another(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--like takes the text of the run"):
        text_for("self", tokens=None, length=None, seed=0, like=tmp_path)


def test_damage_is_measured_on_the_end_of_a_file_and_calibration_leaves_that_alone(
    lm: PrunedLM, tmp_path: Path
) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("".join(f"Line {number} of the town.\n" for number in range(900)))
    held = damage_text(CalibrationSource.parse(str(path)), lm, seed=0, find_tasks=tasks_called)
    asked = lm.tokenizer.decode(held.tokens[held.tokens >= 0], skip_special_tokens=True)
    looked_at = made(lm, str(path), tokens=None, damage=True)
    seen = lm.tokenizer.decode(looked_at.tokens[looked_at.tokens >= 0], skip_special_tokens=True)
    assert "899" in asked
    assert "899" not in seen
    assert "600" in seen
    assert "600" not in asked


def test_a_file_whose_end_is_too_short_to_measure_damage_on_is_refused(lm: PrunedLM, tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text(STORY)
    with pytest.raises(UserError, match=r"The last tenth of .* and 256 are needed at least to measure damage on"):
        damage_text(CalibrationSource.parse(str(path)), lm, seed=0, find_tasks=tasks_called)


@pytest.mark.slow
def test_text_of_its_own_is_drawn_with_another_seed_for_damage(lm: PrunedLM) -> None:
    held = damage_text(CalibrationSource.parse("self"), lm, seed=0, find_tasks=tasks_called)
    assert held.count == 4096
    assert held.hash == damage_text(CalibrationSource.parse("self"), lm, seed=0, find_tasks=tasks_called).hash
    calibrated = made(lm, "self", tokens=4096, length=256)
    assert held.tokens.shape != calibrated.tokens.shape or (held.tokens != calibrated.tokens).any()
