"""What a result file was measured on: told by the checkpoint, else by the caller, else taken for an unpruned model."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from cases import one_in

from warehouse.checkpoints import FILE_NAME, BaseModel, CheckpointRecord, read_record
from warehouse.errors import UserError
from warehouse.importers import import_path

RECORD = CheckpointRecord(
    base=BaseModel(
        model="Tiny", revision=None, weights_hash="w1", config_hash=None, tokenizer_hash=None, model_type="llama",
        hidden_size=25, intermediate_size=100, num_hidden_layers=1, parameters=1000,
    ),
    method="maw", level="2.4x", pruning_pct=40.0, intermediate_size=60, parameters=600, divisor=None, seed=None,
    prune_tui="1.0",
)  # fmt: skip
SAID = "select model, method, level, pruning_pct, intermediate_size from current_metrics"


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "p40"
    folder.mkdir()
    RECORD.write(folder)
    return folder


def scored(write, pretrained, **config):
    """Its folder is two below the one from which lm-eval was called, as it makes them."""
    args = {"model_args": f"pretrained={pretrained}", "model_sha": "", "model_num_parameters": 600} | config
    return write("__p40/results_2026-01-02T03-04-05.000006.json", config=args, model_name=str(pretrained))


def test_a_record_is_read_as_it_was_written(checkpoint):
    assert read_record(checkpoint) == RECORD


@pytest.mark.parametrize("pretrained", one_in(2, ["./p40", "p40", "absolute", "p40/"]))
def test_a_saved_level_is_known_by_what_lies_beside_it(database, write, checkpoint, ask, pretrained):
    path = scored(write, checkpoint if pretrained == "absolute" else pretrained)
    report = import_path(database, path)
    assert report.notes == ()
    assert ask(SAID) == [("Tiny", "maw", "2.4x", 40.0, 60)]


@pytest.mark.slow
def test_a_saved_level_joins_the_table_of_its_base(database, write, checkpoint, ask, new_run, merged, metric):
    """With the baseline that a run of ours measured, which knows the base model by its whole path."""
    run = new_run("own")
    run.start(model="/home/somebody/models/Tiny", weights="w1", conditions={"documents": "all", "dtype": "float32"})
    run.cell("0", "hellaswag", metrics=[metric("acc", 0.6, n=100)], version="1.0")
    merged(run)
    import_path(database, scored(write, "./p40"))
    assert ask("select distinct model, model_id from models") == ask("select model, model_id from models limit 1")
    assert ask("select distinct weights_hash, intermediate_size from models") == [("w1", 100)]
    assert ask("select pruning_pct, value, baseline from baseline_deltas") == [(40.0, 0.5, 0.6)]


def test_where_the_folder_is_gone_the_file_is_an_unpruned_model_and_says_so(database, write, ask):
    report = import_path(database, scored(write, "./p40"))
    assert len(report.notes) == 1
    assert "taken for an unpruned model named ./p40" in report.notes[0]
    assert "--model, --level and --method" in report.notes[0]
    assert ask("select model, unpruned from current_metrics") == [("./p40", True)]


def test_where_the_folder_is_gone_the_caller_says_what_it_was(database, write, ask):
    report = import_path(database, scored(write, "./p40"), model="Tiny", level="40%", method="maw")
    assert report.notes == ()
    assert ask(SAID) == [("Tiny", "maw", "40", 40.0, None)]


def test_a_model_of_the_hub_is_no_folder_that_is_gone(database, write):
    assert import_path(database, write()).notes == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"level": "20"}, "saved at level 2.4x"),
        ({"method": "random"}, "pruned with MAW"),
        ({"model": "org/Other"}, "a level of Tiny"),
    ],
)
def test_the_caller_may_not_contradict_the_checkpoint(database, write, checkpoint, said, why):
    with pytest.raises(UserError, match=f"{why}.*{FILE_NAME}.*leave --{next(iter(said))} away"):
        import_path(database, scored(write, "./p40"), **said)


@pytest.mark.parametrize(
    "said", one_in(2, [{"level": "40"}, {"level": "w60"}, {"level": "2.4x", "method": "MAW"}, {"model": "org/Tiny"}])
)
def test_the_caller_may_say_the_same(database, write, checkpoint, ask, said):
    import_path(database, scored(write, "./p40"), **said)
    assert ask("select level, intermediate_size from current_metrics") == [("2.4x", 60)]


def test_a_folder_that_holds_another_checkpoint_by_now_is_not_believed(database, write, checkpoint, ask):
    path = scored(write, "./p40", model_num_parameters=800)
    with pytest.raises(UserError, match=r"measured on 800 parameters.*has 600 now.*--model, --level and --method"):
        import_path(database, path)
    import_path(database, path, model="Tiny", level=20, method="maw")
    assert ask("select level from current_metrics") == [("20",)]


def test_two_checkpoints_in_reach_are_not_guessed_between(database, write, checkpoint):
    nearer = write.folder / "p40"
    nearer.mkdir(parents=True)
    replace(RECORD, level="20", pruning_pct=20.0, intermediate_size=80, parameters=600).write(nearer)
    with pytest.raises(UserError, match="there are several"):
        import_path(database, scored(write, "./p40"))


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"format": "something else"}', "[" * 20_000,
     json.dumps({"format": "prune-tui checkpoint", "base": {}}),
     json.dumps({"format": "prune-tui checkpoint"} | asdict(replace(RECORD, parameters=0)))],
    ids=["cut", "a list", "nothing", "another format", "nested", "half", "no parameters"],
)  # fmt: skip
def test_a_damaged_record_is_one_sentence(database, write, checkpoint, content):
    (checkpoint / FILE_NAME).write_text(content)
    with pytest.raises(
        UserError, match=rf"{FILE_NAME} is not as `prune-tui save` writes it.*save the checkpoint again"
    ):
        import_path(database, scored(write, "./p40"))


@pytest.mark.parametrize(
    ("level", "pct", "width"), one_in(2, [("2x", 50.0, 50), ("40%", 40.0, 60), ("w70", 30.0, 70), ("40", 40.0, 60)])
)
def test_a_level_takes_every_form_where_sizes_are_known(database, write, ask, new_run, merged, level, pct, width):
    run = new_run("own")
    run.start(model="org/small", weights=None)
    merged(run)
    import_path(database, write(), model="org/small", level=level, method="maw")
    assert ask("select pruning_pct, intermediate_size from current_metrics") == [(pct, width)]


@pytest.mark.parametrize("level", ["2.4x", "w60"])
def test_a_ratio_or_a_width_needs_sizes(database, write, level):
    with pytest.raises(UserError, match=f"Level {level} needs the sizes of org/small.*percentage"):
        import_path(database, write(), level=level)
    assert not database.exists()


def test_sizes_of_the_study_are_known(database, write, ask):
    import_path(database, write(), model="meta-llama/Llama-3.2-1B", level="2.4x", method="maw")
    assert ask("select intermediate_size, expansion_ratio from current_metrics") == [
        (4916, pytest.approx(2.4, abs=0.01))
    ]


def test_files_of_two_models_do_not_get_one_name(database, write):
    write("a/results_1.json")
    write("b/results_1.json", config={"model_args": "pretrained=org/other"}, model_name="org/other")
    with pytest.raises(UserError, match=r"org/small and org/other: as foo"):
        import_path(database, write.folder, model="foo")
    assert not database.exists()


def test_files_of_one_model_get_the_name_that_is_given(database, write, ask):
    for folder, name in (("a", "./models/small"), ("b", "models/small/")):
        config = {"model_args": f"pretrained={name}"}
        write(f"{folder}/results_1.json", {f"task_{folder}": {"acc,none": 0.5}}, config=config, model_name=name)
    import_path(database, write.folder, model="foo")
    assert ask("select model, task from current_metrics order by all") == [("foo", "task_a"), ("foo", "task_b")]
