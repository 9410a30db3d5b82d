"""Process `engine.worker.save REQUEST`: write one level of a model as a checkpoint.

The request is a JSON object with the arguments of `engine.pruning.checkpoint.save_level` and the `database` whose
delta table goes into the model card. Where neurons are looked at, it has also `calibration` (self, a text file or
task:NAME; None is self), `calibration_tokens` and `calibration_length`; or `like`, the folder of a run whose text is
taken. The answer is one line of JSON on standard output: what was saved, or an `error` that the user can mend.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.runs.launch import FINISHED, REFUSED, STOPPED
from warehouse.records.level import Level


def main(request: dict[str, Any]) -> int:
    model, database = request.pop("model"), Path(request.pop("database"))
    text = {name: request.pop(name, None) for name in ("calibration", "calibration_tokens", "calibration_length")}
    like = request.pop("like", None)
    try:
        from engine.calibration.for_saving import text_for
        from engine.pruning.checkpoint import save_level

        saved = save_level(
            model,
            level=Level.parse(request.pop("level")),
            to=Path(request.pop("to")),
            card=delta_table(database, model, request["method"], request.get("repair", "none")),
            calibrate=text_for(
                text["calibration"],
                tokens=text["calibration_tokens"],
                length=text["calibration_length"],
                seed=request.get("seed", 0),
                like=None if like is None else Path(like),
            ),
            **request,
        )
    except UserError as error:
        print(json.dumps({"error": str(error)}))
        return REFUSED
    except KeyboardInterrupt:
        return STOPPED
    print(json.dumps(asdict(saved) | {"path": str(saved.path), "gguf": saved.gguf and str(saved.gguf)}))
    return FINISHED


def delta_table(database: Path, model: str, method: str, repair: str = "none") -> str | None:
    """The results of a model (a name or a folder) in Markdown, for its card; None if there are none yet."""
    if not database.exists():
        return None
    from warehouse.exporters.export import export_deltas

    # Runs know a local model by its whole path.
    name = str(Path(model).resolve()) if Path(model).is_dir() else model
    try:
        table = export_deltas(database, model=name, method=method, repair=repair)
    except UserError as error:
        print(f"The model card goes without a delta table: {error}", file=sys.stderr)
        return None
    return table if isinstance(table, str) else None


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
