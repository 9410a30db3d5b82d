"""Makes the recording that ships, tui/runs/recordings/demo: `python docs/recording.py`.

It is the plan and the journal of a real demo run, complete but for what tells of the machine it ran on. It takes as
long as the demo does: about half a minute on two cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.runs import rundir
from tui.runs.replay import RECORDING
from warehouse.records.events import parse_event, write_line
from warehouse.records.run_state import RunState


def _anonymous(line: str) -> str:
    event = json.loads(line)
    if event["kind"] == "attempt":
        event |= {"pid": 1, "host": "another machine"}
        made = event["provenance"]
        made |= {"host": "another machine", "platform": made["platform"].split("-")[0]}
    if event["kind"] == "model":
        event["source"] = event["model"]  # the folder that the demo's weights lay in
    if event["kind"] == "gpu":
        event["samples"] = [sample | {"name": "CPU"} for sample in event["samples"]]
    return write_line(parse_event(event)).decode()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "results.duckdb"
        subprocess.run([sys.executable, "-m", "prune_tui", "demo", "--quiet", "--db", str(database)], check=True)
        (run,) = rundir.all_runs(database)
        if run.state() != RunState.FINISHED:
            raise SystemExit(f"The demo ended as {run.state()}: there is nothing to keep.")
        RECORDING.mkdir(parents=True, exist_ok=True)
        (RECORDING / "plan.json").write_text((run.path / "plan.json").read_text(encoding="utf-8"), encoding="utf-8")
        lines = run.journal_path.read_text(encoding="utf-8").splitlines()
        (RECORDING / "journal.jsonl").write_text("".join(map(_anonymous, lines)), encoding="utf-8")
    print(f"{RECORDING}: {(RECORDING / 'journal.jsonl').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
