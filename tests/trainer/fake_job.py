"""A job that trains nothing: it does what `plan.json`, two folders up, says, and leaves what a real one leaves.

    {"outcome": "promoted", "failures": 1, "wait": "file that must exist before it ends", "seconds": 0.1, "status": 1}

Each start is a line in `starts`. Two at a time in one folder leave `COLLISION`.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path

import msgspec

from teachback.trainer.spec import Progress, read_rows, read_spec
from tests.trainer.leavings import gate, write_adapter


def main(folder: Path) -> int:
    plan = json.loads((folder.parent.parent / "plan.json").read_text())
    spec = read_spec(folder)
    alone = (folder / "alone").open("a")
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (folder / "COLLISION").touch()
    with (folder / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    rows = read_rows(folder / spec.train)
    with (folder / "progress.jsonl").open("ab") as progress:
        progress.write(msgspec.json.encode(Progress(stage="train", done=len(rows), total=len(rows))) + b"\n")
    if len((folder / "starts").read_text().split()) <= plan.get("failures", 0):
        print("RuntimeError: told to fail")
        return int(plan.get("status", 1))
    while "wait" in plan and not Path(plan["wait"]).exists():
        time.sleep(0.02)
    time.sleep(plan.get("seconds", 0.0))
    write_adapter(folder / "adapter", spec.run.encode())
    (folder / "metrics.json").write_text(json.dumps({"train/rows": float(len(rows)), "eval/rows": 1.0}))
    record = gate(plan.get("outcome", "promoted"), spec.champion_name, spec.challenger_name)
    (folder / "gate.json").write_bytes(msgspec.json.encode(record))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
