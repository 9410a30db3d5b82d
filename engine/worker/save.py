"""Process `engine.worker.save REQUEST`: write one level of a model as a checkpoint.

The request is a JSON object with the arguments of `engine.pruning.checkpoint.save_level` and the `database` whose
delta table goes into the model card. The answer is one line of JSON on standard output: what was saved, or an
`error` that the user can mend.
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
    try:
        from engine.pruning.checkpoint import save_level

        saved = save_level(
            model,
            level=Level.parse(request.pop("level")),
            to=Path(request.pop("to")),
            card=delta_table(database, model, request["method"], request.get("repair", "none")),
            **request,
        )
    except UserError as error:
        print(json.dumps({"error": str(error)}))
        return REFUSED
    except KeyboardInterrupt:
        return STOPPED
    print(json.dumps(asdict(saved) | {"path": str(saved.path)}))
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
