"""A sweep that is saved as a file and read again asks for the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import UserError
from engine.planning.asked import Asked, plans_of
from engine.planning.draft import Draft
from engine.planning.draft_command import command
from engine.planning.sweep_file import read_sweep_file
from engine.planning.sweep_text import sweep_text, write_sweep
from engine.planning.where import Where

HERE = Where()
SHARED: dict[str, Any] = {
    "tasks": "piqa,gsm8k@5",
    "levels": "0,40",
    "method": "maw,l2",
    "repair": "none,lsq",
    "name": "two",
}


def written_and_read(folder: Path, asked: list[Asked], where: Where = HERE):
    path = folder / "sweep.toml"
    write_sweep(path, asked, where)
    return read_sweep_file(path, {})


@pytest.mark.parametrize(
    "more",
    [
        {}, {"limit": 0.25}, {"limit": 100.0}, {"levels": "0,2.4x,w64"}, {"seed": "1,2,3,4"}, {"dtype": "bfloat16"},
        {"damage": True, "compile": True, "no_cache": True}, {"batch_tokens": 512, "calibration_tokens": 70_000},
        {"system_instruction": 'Say "yes",\n\\ and ü, \x7f.'}, {"suite": "demo", "tasks": None},
    ],
)  # fmt: skip
def test_what_is_written_is_read_as_it_was(tmp_path: Path, more: dict[str, Any]):
    where = Where(on="ray", alone="stop") if "limit" in more else Where(gpus="0,1")
    asked = [Asked(model="org/a", **SHARED | more), Asked(model="org/b", **SHARED | more)]
    file = written_and_read(tmp_path, asked, where)
    assert list(file.asked) == asked
    assert (file.name, file.where) == ("two", where)


def test_what_models_do_not_share_stands_with_each(tmp_path: Path):
    asked = [Asked(model="org/a", **SHARED), Asked(model="org/b", revision="v2", limit=5, **SHARED)]
    text = sweep_text(asked, Where(gpus="all"))
    assert text.endswith(
        'gpus = "all"\nmodels = [\n    "org/a",\n    { model = "org/b", limit = 5, revision = "v2" },\n]\n'
    )
    assert "limit" not in text.partition("models")[0]
    assert list(written_and_read(tmp_path, asked).asked) == asked


def test_folders_are_written_whole(tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    [one] = written_and_read(tmp_path, [Asked(model="org/a", include_path=(own,), **SHARED)]).asked
    assert one.include_path == (own,)


def test_a_draft_is_filled_from_a_file_and_says_the_same_again(tmp_path: Path):
    more = {"limit": 20.0, "apply_chat_template": True, "seed": "7", "device": "cpu"}
    asked = [Asked(model="org/a", **SHARED | more), Asked(model="org/b", revision="v2", **SHARED | more)]
    file = written_and_read(tmp_path, asked, Where(on="ray://head:10001", alone="stop"))
    draft = Draft.of_asked(file.seen_from_here(), name=file.name, where=file.where)
    assert draft.where() == file.where
    assert (draft.model, draft.method, draft.repair, draft.limit) == ("org/a, org/b", "maw,l2", "none,lsq", "20")
    assert draft.settings_apart() == "apply-chat-template; b: revision v2"
    assert draft.problems() == {}
    told = [plan.to_dict() | {"sweep": None} for plan in draft.plans()]
    assert told == [plan.to_dict() | {"sweep": None} for plan in plans_of(asked, tmp_path, name="two")]
    with pytest.raises(UserError, match="which a file can say: f4 saves one"):
        command(draft, tmp_path / "results.duckdb")


def test_a_drafts_command_names_all_models_methods_and_repairs(tmp_path: Path):
    draft = Draft(model="org/a, org/b", tasks="piqa", levels="0,40", method="maw,l2", name="both", gpus="0,1")
    said = command(draft, tmp_path / "r.duckdb")
    assert "run org/a org/b --levels 0,40 --tasks piqa --method maw,l2 --name both --gpus 0,1 --db" in said
    plans = draft.plans()
    assert [(plan.model, plan.method) for plan in plans] == [
        ("org/a", "maw"), ("org/a", "l2"), ("org/b", "maw"), ("org/b", "l2"),
    ]  # fmt: skip
    assert {plan.sweep_name for plan in plans} == {"both"}


def test_a_draft_says_on_which_cluster_and_what_is_no_place():
    said = command(Draft(model="org/a", tasks="piqa", levels="0", on="ray"), Path("r.duckdb"))
    assert "--on ray" in said
    assert "give local, ray, or ray://HOST:PORT" in Draft(model="org/a", tasks="piqa", on="slurm").problems()["on"]
    assert "leave one of them out" in Draft(model="org/a", tasks="piqa", on="ray", gpus="0").problems()["gpus"]


def test_a_model_that_is_named_twice_is_said_to_be():
    assert "named twice" in Draft(model="org/a, org/a", tasks="piqa").problems()["model"]
