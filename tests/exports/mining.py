"""What pm4py makes of what was exported: a process of its own, for it is never in one with the product (AGPL)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pm4py
from pm4py.objects.ocel.validation import ocel20_rel_validation


def event_log(path: str) -> dict[str, Any]:
    """An OCEL, whichever its form; events of one moment in the order of their sequence."""
    read = pm4py.read_ocel2_sqlite if path.endswith(".sqlite") else pm4py.read_ocel2_json
    log = read(path)
    events = log.events.sort_values(["ocel:timestamp", "sequence"])
    agreed = log.relations[log.relations["ocel:activity"] == "plan-agreed"]
    plans = agreed[agreed["ocel:type"] == "plan"].merge(log.events[["ocel:eid", "sequence"]], on="ocel:eid")
    first = plans.sort_values("sequence").groupby("ocel:oid").first()
    subjects = log.relations[log.relations["ocel:qualifier"] == "subject"]
    return {
        "loaded": log.events["ocel:eid"].tolist(),
        "events": [
            [row["ocel:eid"], row["ocel:activity"], row["ocel:timestamp"].isoformat(), row["sequence"]]
            for _, row in events.iterrows()
        ],
        "corrected": sorted(log.events[log.events["corrected"].map(bool)]["ocel:eid"].tolist()),
        "subjects": subjects.groupby("ocel:eid").size().value_counts().to_dict(),
        "types": log.objects["ocel:type"].value_counts().to_dict(),
        "objects": sorted(log.objects["ocel:oid"].tolist()),
        "relations": sorted(log.relations[["ocel:eid", "ocel:oid", "ocel:qualifier"]].values.tolist()),
        "together": sorted(log.o2o[["ocel:oid", "ocel:oid_2", "ocel:qualifier"]].values.tolist()),
        "agreed": {plan: row["ocel:timestamp"].date().isoformat() for plan, row in first.iterrows()},
        "unsatisfied": ocel20_rel_validation.apply(path)[1] if path.endswith(".sqlite") else [],
    }


def traces(path: str) -> dict[str, Any]:
    """An XES log: its events trace by trace, in their order."""
    log = pm4py.read_xes(path, return_legacy_log_object=True)
    return {
        trace.attributes["concept:name"]: [
            [event["identity:id"], event["concept:name"], event["time:timestamp"].date().isoformat()] for event in trace
        ]
        for trace in log
    }


if __name__ == "__main__":
    read = {Path(path).name: (traces if path.endswith(".xes") else event_log)(path) for path in sys.argv[2:]}
    # pm4py greets on standard output.
    Path(sys.argv[1]).write_text(json.dumps(read), "utf-8")
