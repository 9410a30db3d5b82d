"""`certify`: score an exported checkpoint or GGUF file as a run scored its levels, and write down what that shows."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UserError
from engine.planning import model_stack
from engine.planning.model_files import is_gguf
from engine.planning.plan import ENGINES, LLAMA_CPP, TRANSFORMERS
from engine.runs.certifying import Certifying, certifying, exported
from engine.runs.create import check_database, create_all
from engine.runs.rundir import RunDir
from tui.cli import session
from tui.cli.completion import complete_runs
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json, Plain, Quiet
from tui.cli.output import print_json


def certify(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder or a .gguf file that `save` wrote.")],
    like: Annotated[
        str,
        typer.Option(
            metavar="RUN",
            help="The run whose plan it is scored under, and compared with; `latest` is the latest that fits.",
            autocompletion=complete_runs,
        ),
    ],
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What scores the file: transformers, which dequantises a GGUF one, or llama.cpp, as it is.",
        ),
    ] = TRANSFORMERS,
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Score the exported file itself, and tell pruning's loss from the export's.

    The file is scored as the run's levels were: same tasks, documents, seeds and dtype. A GGUF file is dequantised by
    transformers, or read by llama.cpp itself. The certificate, as JSON and Markdown, is written beside it.
    """
    if engine not in ENGINES:
        raise UserError(f"There is no engine '{engine}': choose one of {', '.join(ENGINES)}.")
    check_database(db)
    model_stack.require()
    if engine == LLAMA_CPP:
        model_stack.require_llama_cpp()
    record = exported(path)
    wanted = session.like(db, like, lambda run: certifying(path, record, run, engine=engine))
    run = wanted.run
    session.check_plans([wanted.plan], quiet=quiet)
    [scoring] = create_all([wanted.plan], db)
    if code := session.work([scoring], db, plain=plain, quiet=quiet or as_json, as_json=False, tables=False):
        raise typer.Exit(code)
    if (problem := session.merge(run, db)) is not None:
        raise problem
    from warehouse.exporters.certificate import Certificate
    from warehouse.read.run_diff import diff_levels

    history, _ = scoring.history()
    if history.model is None or history.plan is None:
        raise UserError(f"Run {scoring.run_id} recorded no model: `prune-tui show {scoring.run_id}` says how it ended.")
    certificate = Certificate(
        engine=engine,
        file=_file(wanted, history.model.weights_hash, history.model.tokenizer_hash),
        of=asdict(wanted.record),
        run=run.run_id,
        scored_by=scoring.run_id,
        plan=wanted.plan.to_dict(),
        conditions=asdict(history.plan.conditions) if history.plan.conditions else {},
        versions=_versions(scoring),
        pruning=diff_levels(db, (run.run_id, wanted.unpruned), (run.run_id, wanted.level)),
        export=diff_levels(db, (run.run_id, wanted.level), (scoring.run_id, "0")),
        headlines=_headlines(db, run),
    )
    written = certificate.write(path)
    if as_json:
        print_json(certificate.plain() | {"written": [str(one) for one in written]})
    else:
        typer.echo(certificate.markdown(), nl=False)
        typer.echo(f"Written: {written[0]} and {written[1].name}.", err=True)


def _file(wanted: Certifying, weights_hash: str | None, tokenizer_hash: str | None) -> dict[str, str | int | None]:
    path = wanted.path
    weights = [path] if is_gguf(path) else sorted(path.glob("*.safetensors"))
    return {
        "name": path.resolve().name,
        "form": _form(wanted),
        "weights_hash": weights_hash,
        "tokenizer_hash": tokenizer_hash,
        "bytes": sum(one.stat().st_size for one in weights),
    }


def _form(wanted: Certifying) -> str:
    if not is_gguf(wanted.path):
        return "safetensors"
    return "GGUF, read by llama.cpp" if wanted.plan.engine == LLAMA_CPP else "GGUF, dequantised by transformers"


def _versions(scoring: RunDir) -> dict[str, str | None]:
    history, _ = scoring.history()
    came_from = (history.attempt.provenance or {}) if history.attempt else {}
    versions: dict[str, str | None] = dict(came_from.get("versions") or {})
    try:
        return versions | ({"gguf": version("gguf")} if is_gguf(scoring.plan.model) else {})
    except PackageNotFoundError:
        return versions


def _headlines(db: Path, run: RunDir) -> frozenset[tuple[str, str, str]]:
    from warehouse.read.deltas import read_deltas

    history, _ = run.history()
    model = history.model.model if history.model else run.plan.model
    entries = read_deltas(db, model=model).entries
    return frozenset((one.benchmark.task, one.benchmark.metric, one.benchmark.filter) for one in entries)
