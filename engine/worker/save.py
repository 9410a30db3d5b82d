"""Process `engine.worker.save REQUEST`: write one level of a model as a checkpoint.

The request is a JSON object with the arguments of `engine.pruning.checkpoint.save_level` and the `database` whose
delta table goes into the model card. Where neurons are looked at, it has also `calibration` (self, a text file or
task:NAME; None is self), `calibration_tokens` and `calibration_length`; or `like`, the folder of a run whose text is
taken. `push_to` names a repository of the hub, `dry_run` has what would be uploaded listed only. The answer is one
line of JSON on standard output: what was saved, or an `error` that the user can mend.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UserError
from engine.planning.model_files import local_folder
from engine.runs.launch import FINISHED, REFUSED, STOPPED
from warehouse.records.level import Level

if TYPE_CHECKING:
    from engine.pruning.card_results import CardResults


def main(request: dict[str, Any]) -> int:
    model, database = request.pop("model"), Path(request.pop("database"))
    text = {name: request.pop(name, None) for name in ("calibration", "calibration_tokens", "calibration_length")}
    like = request.pop("like", None)
    repo, only_listed = request.pop("push_to", None), request.pop("dry_run", False)
    try:
        from engine.pruning import pushing

        if repo is not None:
            pushing.check_repo(repo)
        from engine.calibration.for_saving import text_for
        from engine.pruning.checkpoint import save_level

        saved = save_level(
            model,
            level=Level.parse(request.pop("level")),
            to=Path(request.pop("to")),
            card=results_for(database, model, request["method"], request.get("repair", "none")),
            calibrate=text_for(
                text["calibration"],
                tokens=text["calibration_tokens"],
                length=text["calibration_length"],
                seed=request.get("seed", 0),
                like=None if like is None else Path(like),
            ),
            **request,
        )
        told = asdict(saved) | {"path": str(saved.path), "gguf": saved.gguf and str(saved.gguf)}
        if repo is not None:
            told["uploads"] = [asdict(one) for one in pushing.uploads(saved.path)]
            told["pushed"] = None if only_listed else pushing.push(saved.path, repo)
    except UserError as error:
        print(json.dumps({"error": str(error)}))
        return REFUSED
    except KeyboardInterrupt:
        return STOPPED
    print(json.dumps(told))
    return FINISHED


def results_for(
    database: Path, model: str, method: str, repair: str = "none"
) -> Callable[[int], CardResults | None] | None:
    """What finds the results of a model (a name or a folder) for the card of one of its widths; None without any."""
    if not database.exists():
        return None
    from engine.pruning.card_results import CardResults
    from warehouse.exporters.export import export_deltas
    from warehouse.read.card_scores import card_scores

    # Runs know a local model by its whole path.
    name = str(Path(model).resolve()) if local_folder(model) is not None else model

    def found(intermediate_size: int) -> CardResults | None:
        try:
            table = export_deltas(database, model=name, method=method, repair=repair)
            scores = card_scores(
                database, model=name, method=method, repair=repair, intermediate_size=intermediate_size
            )
        except UserError as error:
            print(f"The model card goes without a delta table: {error}", file=sys.stderr)
            return None
        return CardResults(
            table=str(table).replace(name, Path(name).name) if name != model else str(table), scores=scores
        )

    return found


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
