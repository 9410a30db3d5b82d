"""Whatever a person can get wrong, given to the command line: `python benchmarks/attack_input.py [PART OF A NAME]`.

Each kind is tried in a folder of its own. It is held if the command ends by itself with the exit code that fits, says
why in one sentence, shows no traceback, calls nothing a defect, and leaves no run behind that never began. Prints the
sentence and the exit code of each, then the counts. It takes about ten minutes on two cores.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.demo.paths import MODEL_DIR

PATIENCE = 180  # seconds
RUN = ("run", "demo", "--levels", "0", "-q", "--limit", "3")
OWN = (*RUN, "--include-path", "tasks", "--tasks")
ODD = "a?b\\c[d]*{e}'f"


def nothing(folder: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """`prepare` makes what the command needs in its folder; `code` is the exit code that fits."""

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Path], Any] = nothing
    code: int = 2
    says: str = ""
    environment: tuple[tuple[str, str], ...] = ()


def model(**changes: Any) -> Callable[[Path], None]:
    """The demo model in `model`, its config changed; None takes an entry away."""

    def prepare(folder: Path) -> None:
        shutil.copytree(MODEL_DIR, folder / "model")
        config = json.loads((folder / "model" / "config.json").read_text())
        config = {name: value for name, value in (config | changes).items() if value is not None}
        (folder / "model" / "config.json").write_text(json.dumps(config))

    return prepare


def replaced(name: str, text: str | bytes | None) -> Callable[[Path], None]:
    """The demo model in `model`, one of its files replaced, or taken away."""

    def prepare(folder: Path) -> None:
        shutil.copytree(MODEL_DIR, folder / "model")
        if text is None:
            (folder / "model" / name).unlink()
        else:
            (folder / "model" / name).write_bytes(text.encode() if isinstance(text, str) else text)

    return prepare


TASK = """
task: mine
dataset_path: json
dataset_kwargs: {data_files: {test: FILE}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{c}}"
doc_to_target: "{{l}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
DOCUMENT = {"q": "Is it so?", "c": [" yes", " no"], "l": 0}


def task(
    *changes: tuple[str, str], documents: list[Any] | None = None, code: str | None = None
) -> Callable[[Path], None]:
    """A task `mine` in `tasks`, some of its text changed, with documents and perhaps a module `own.py`."""

    def prepare(folder: Path) -> None:
        text = TASK
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        tasks = folder / "tasks"
        tasks.mkdir(parents=True)
        (tasks / "mine.yaml").write_text(text.replace("FILE", json.dumps(str(tasks / "mine.jsonl"))))
        lines = [DOCUMENT] * 3 if documents is None else documents
        (tasks / "mine.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        if code is not None:
            (tasks / "own.py").write_text(code)

    return prepare


def file(name: str, text: str | bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)

    return prepare


def folders(*names: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        for name in names:
            (folder / name).mkdir(parents=True)

    return prepare


def both(*steps: Callable[[Path], None]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        for step in steps:
            step(folder)

    return prepare


def result(date: str) -> str:
    return f'{{"results": {{"piqa": {{"acc,none": 0.5}}}}, "config": {{"model": "hf"}}, "date": {date}}}'


def options() -> list[Kind]:
    def run(name: str, *words: str, says: str = "") -> Kind:
        return Kind(f"option: {name}", ("run", "m", *words), says=says)

    piqa = ("--tasks", "piqa")
    return [
        Kind("option: no model", ("run",)),
        run("no task"),
        run("a level of 100", *piqa, "--levels", "100"),
        run("a negative level", *piqa, "--levels", "-5"),
        run("a level in words", *piqa, "--levels", "twenty"),
        run("a level of 400 digits", *piqa, "--levels", "w" + "9" * 400),
        run("a level twice", *piqa, "--levels", "20,40,20"),
        run("no level", *piqa, "--levels", ","),
        run("a task twice", "--tasks", "piqa,piqa@5"),
        run("shots in words", "--tasks", "gsm8k@five"),
        run("shots of 400 digits", "--tasks", "gsm8k@" + "9" * 400),
        run("an unknown suite", "--suite", "papers"),
        run("a suite and tasks", "--suite", "paper", *piqa),
        run("no documents", *piqa, "--limit", "0"),
        run("not a number of documents", *piqa, "--limit", "nan"),
        run("an unknown method", *piqa, "--method", "magic"),
        run("a method twice", *piqa, "--method", "maw", "--method", "vow", says="--method"),
        run("levels twice", *piqa, "--levels", "0", "--levels", "20", says="--levels"),
        run("a database twice", *piqa, "--db", "a.duckdb", "--db", "b.duckdb", says="--db"),
        run("an unknown dtype", *piqa, "--dtype", "int4"),
        run("a divisor of zero", *piqa, "--divisor", "0"),
        run("three seeds", *piqa, "--seed", "1,2,3"),
        run("a folder of tasks that is not there", *piqa, "--include-path", "nowhere"),
        run("an unknown option", *piqa, "--frobnicate"),
        Kind("option: a GPU that is not there", (*RUN, "--tasks", "demo_grammar", "--device", "cuda:77")),
        Kind("option: a level that widens", ("run", "demo", "-q", "--tasks", "demo_grammar", "--levels", "100x")),
        Kind(
            "option: more documents than there are",
            ("run", "demo", "-q", "--tasks", "demo_grammar", "--levels", "0", "--limit", "1000000"), code=0,
        ),
        Kind(
            "option: no unpruned model",
            ("run", "demo", "-q", "--tasks", "demo_grammar", "--levels", "20", "--limit", "3"),
            code=0, says="compare",
        ),
    ]  # fmt: skip


def paths() -> list[Kind]:
    grammar = ("--levels", "0", "-q", "--limit", "3", "--tasks", "demo_grammar")
    return [
        Kind("path: a model with ? that is not there", ("run", "./mo?del", *grammar)),
        Kind("path: a model with \\ that is not there", ("run", ".\\model", *grammar)),
        Kind("path: a name with ? that no hub has", ("run", "who/mo?del", *grammar)),
        Kind("path: a model that is a file", ("run", "file", *grammar), file("file", "x")),
        Kind("path: an empty model", ("run", "", *grammar)),
        Kind("path: a model of 5,000 characters", ("run", "m" * 5000, *grammar)),
        Kind("path: a model with a NUL-like escape", ("run", "mo\x1b[31mdel", *grammar)),
        Kind("path: a database in a folder with ?", ("run", "demo", *grammar, "--db", "a?b/r.duckdb"), folders("a?b")),
        Kind("path: a database with \\", ("run", "demo", *grammar, "--db", "a\\b.duckdb")),
        Kind("path: a database in a patterned folder", ("run", "demo", *grammar, "--db", "a[b]/r"), folders("a[b]")),
        Kind(
            "path: a model in an odd folder", ("run", f"{ODD}/model", *grammar),
            lambda folder: (folders(ODD)(folder), model()(folder / ODD)), 0,
        ),
        Kind(
            "path: tasks in an odd folder",
            ("run", "demo", "-q", "--levels", "0", "--tasks", "mine", "--include-path", f"{ODD}/tasks"),
            lambda folder: (folders(ODD)(folder), task()(folder / ODD)), 2,
        ),
        Kind("path: a database in a folder to be made", ("run", "demo", *grammar, "--db", "no/r.duckdb"), code=0),
        Kind("path: a database that is a folder", ("run", "demo", *grammar, "--db", "r"), folders("r")),
    ]  # fmt: skip


def configs() -> list[Kind]:
    def run(name: str, prepare: Callable[[Path], None], says: str = "model") -> Kind:
        words = ("run", "./model", "--levels", "0", "-q", "--limit", "3", "--tasks", "demo_grammar")
        return Kind(f"config: {name}", words, prepare, says=says)

    return [
        run("a list", replaced("config.json", "[1, 2]")),
        run("a text", replaced("config.json", '"llama"')),
        run("empty", replaced("config.json", "")),
        run("cut short", replaced("config.json", '{"model_type": "lla')),
        run("bytes", replaced("config.json", b"\xff\xfe\x00")),
        run("nested 10,000 deep", replaced("config.json", '{"a":' * 10_000 + "1" + "}" * 10_000)),
        run("none", replaced("config.json", None)),
        run("no model_type", model(model_type=None)),
        run("a model_type that is a list", model(model_type=["llama"])),
        run("an unknown model_type", model(model_type="lhama")),
        run("code of its own", model(model_type="own", auto_map={"AutoConfig": "own.Config"})),
        run("an unknown activation", model(hidden_act="sulu")),
        run("an activation that is a number", model(hidden_act=3)),
        run("a hub kernel for attention", model(attn_implementation="who/kernel")),
        run("a hub kernel for attention, privately", model(_attn_implementation="who/kernel@main:fn")),
        run("a billion layers", model(num_hidden_layers=10**9)),
        run("no layers", model(num_hidden_layers=0)),
        run("minus one layer", model(num_hidden_layers=-1)),
        run("layers in words", model(num_hidden_layers="six")),
        run("layers that are a list", model(num_hidden_layers=[6])),
        run("a hidden size of 10^12", model(hidden_size=10**12)),
        run("a width of 10^30", model(intermediate_size=10**30)),
        run("a negative width", model(intermediate_size=-5)),
        run("a vocabulary of none", model(vocab_size=0)),
        run("a vocabulary of 10^18", model(vocab_size=10**18)),
        run("heads that do not divide", model(num_attention_heads=7, head_dim=None)),
        run("no heads", model(num_attention_heads=0)),
        run("an epsilon that is a text", model(rms_norm_eps="small")),
        run("rotary parameters that are a text", model(rope_parameters="default")),
        run("an unknown kind of rotary", model(rope_parameters={"rope_type": "spiral", "rope_theta": 1e4})),
        run("a context of none", model(max_position_embeddings=0)),
        run("an unknown dtype", model(dtype="int4")),
        run("quantised with a list", model(quantization_config=["int4"])),
        run("another model's width", model(intermediate_size=640)),
        run("weights that are not there", replaced("model.safetensors", None)),
        run("weights cut short", replaced("model.safetensors", b"\x00" * 1000)),
        run("a tokenizer that is a list", replaced("tokenizer.json", "[1]")),
        run("a tokenizer nested 10,000 deep", replaced("tokenizer.json", "[" * 10_000 + "]" * 10_000)),
        run("a tokenizer's settings that are a list", replaced("tokenizer_config.json", "[1]")),
        Kind(
            "config: no chat template",
            ("run", "./model", *RUN[2:], "--tasks", "demo_grammar", "--apply-chat-template"),
            replaced("tokenizer_config.json", '{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}'),
            says="chat template",
        ),
        Kind(
            "config: a chat template that raises",
            ("run", "./model", *RUN[2:], "--tasks", "demo_grammar", "--apply-chat-template"),
            replaced(
                "tokenizer_config.json",
                '{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", '
                '"chat_template": "{{ raise_exception(\'no\') }}"}',
            ),
            says="chat template",
        ),
    ]  # fmt: skip


CODE = ("output_type", "process_docs: !function own.prepare\noutput_type")
TRUSTED = (*OWN, "mine", "--trust-task-code")


def tasks() -> list[Kind]:
    def run(name: str, prepare: Callable[[Path], None], says: str = "mine", trusted: bool = False) -> Kind:
        return Kind(f"task: {name}", TRUSTED if trusted else (*OWN, "mine"), prepare, says=says)

    split = "test_split: test"
    filters = "filter_list: [{name: f, filter: [{function: sieve}]}]\noutput_type"
    shots = "test_split: test\nfewshot_split: test\nnum_fewshot: 5"
    generation = (
        ("output_type: multiple_choice", "output_type: generate_until\ngeneration_kwargs: {max_gen_toks: 100000}"),
        ('doc_to_choice: "{{c}}"', ""),
        ("metric: acc", "metric: exact_match"),
    )
    return [
        Kind("task: plain", (*OWN, "mine"), task(), code=0),
        run("an empty choice", task(documents=[DOCUMENT | {"c": [" yes", ""]}] * 3)),
        run("no choices", task(documents=[DOCUMENT | {"c": []}] * 3)),
        run("a target that is no choice", task(documents=[DOCUMENT | {"l": 7}] * 3)),
        # As lm-eval does, which counts such a document as answered wrongly.
        Kind("task: a target in no choice", (*OWN, "mine"), task(documents=[DOCUMENT | {"l": "so"}] * 3), code=0),
        run("a field that is missing", task(('"{{q}}"', '"{{question}}"'))),
        run("a template that is none", task(('"{{q}}"', '"{{q"'))),
        run("a template after the system", task(('"{{q}}"', '"{{ cycler.__init__.__globals__.os.getcwd() }}"'))),
        run("a missing few-shot split", task((split, f"{split}\nfewshot_split: train\nnum_fewshot: 1"))),
        run("fewer examples than shots", task(("test_split: test", shots))),
        run("a split that is not there", task(("test_split: test", "test_split: exam"))),
        run("an unknown filter", task(("output_type", filters))),
        run("an unknown metric", task(("metric: acc", "metric: accuratesse"))),
        run("an unknown aggregation", task(("aggregation: mean", "aggregation: meen"))),
        run("an unknown output type", task(("multiple_choice", "multiple_voice"))),
        run("documents that are not there", both(task(), lambda folder: (folder / "tasks" / "mine.jsonl").unlink())),
        run("no documents", task(documents=[])),
        run("documents of several kinds", task(documents=[DOCUMENT, [1], 3])),
        run("more new tokens than the context", task(*generation)),
        run("code that is not trusted", task(CODE, code="def prepare(docs): return docs"), says="--trust-task-code"),
        run("code that fails", task(CODE, code="def prepare(docs): return 1 / 0"), trusted=True),
        run("code that cannot be read", task(CODE, code="def prepare(docs: return"), trusted=True),
        run("code that ends the process", task(CODE, code="import sys; sys.exit(0)"), trusted=True),
        run("code that is not there", task(CODE), trusted=True),
        run("a file that is no YAML", file("tasks/mine.yaml", "task: mine\noutput_type: [")),
        run("a file that is a list", file("tasks/mine.yaml", "[mine]")),
        run("a file that includes itself", task(("\ntask: mine", "\ninclude: mine.yaml\ntask: mine"))),
        run("a group of what is not there", file("tasks/mine.yaml", "group: mine\ntask: [nowhere]")),
        run("an unknown name", file("tasks/other.yaml", "x: 1")),
        Kind(
            "task: a broken one among others, to be kept", (*OWN, "demo_sums,mine", "--skip-broken-tasks"),
            task(documents=[DOCUMENT | {"c": [" yes", ""]}] * 3), code=1, says="mine",
        ),
        Kind("task: on data that is out of reach", (*RUN, "--tasks", "piqa"), says="piqa"),
    ]  # fmt: skip


def imports() -> list[Kind]:
    def read(name: str, text: str | bytes) -> Kind:
        return Kind(f"import: {name}", ("import", "results.json"), file("results.json", text))

    return [
        read("a date of 1e300", result("1e300")),
        read("a date of 400 digits", result("9" * 400)),
        read("a date of 5,000 digits", result("9" * 5000)),
        read("a date in words", result('"yesterday"')),
        read("a date that is no number", result("NaN")),
        read("a negative date", result("-1")),
        read("a list", "[1]"),
        read("results that are a list", '{"results": [1]}'),
        read("nested 10,000 deep", '{"results":' * 10_000 + "1" + "}" * 10_000),
        read("bytes", b"\xff\xfe\x00"),
        read("empty", ""),
    ]


def attempt(kind: Kind) -> tuple[bool, str, float]:
    """Whether it was held, what was said with which exit code, and the seconds it took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kind.prepare(folder)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PRUNE_TUI")}
        environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | dict(
            kind.environment
        )
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "prune_tui", *kind.words],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False, f"did not end within {PATIENCE} s", time.monotonic() - began
        error = done.stderr.decode(errors="replace")
        said = [line for line in error.splitlines() if line.startswith("prune-tui: ")]
        left = list(folder.rglob("plan.json")) if kind.code == 2 else []
    sentence = said[-1].removeprefix("prune-tui: ") if said else error.strip().splitlines()[-1] if error.strip() else ""
    held = (
        done.returncode == kind.code
        and "Traceback" not in error
        and "defect" not in error
        and kind.says.lower() in error.lower()
        and not left
        and (kind.code != 2 or len(said) == 1)
    )
    return held, f"rc {done.returncode}: {sentence}", time.monotonic() - began


def main(part: str = "") -> int:
    kinds = [kind for kind in (*options(), *paths(), *configs(), *tasks(), *imports()) if part in kind.name]
    missed = []
    for kind in kinds:
        held, said, seconds = attempt(kind)
        if not held:
            missed.append(kind.name)
        print(f"{'held  ' if held else 'MISSED'} {kind.name} ({seconds:.1f} s)\n       {said[:400]}", flush=True)
    print(f"\n{len(kinds)} kinds tried, {len(kinds) - len(missed)} held.")
    for name in missed:
        print(f"not held: {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
