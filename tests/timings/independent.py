"""What other libraries compute from the same rows: a process of its own, JSON in and out.

The libraries are lifelines and scikit-survival; nothing of them is ever in a process with the product.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from lifelines import KaplanMeierFitter
from sksurv.nonparametric import cumulative_incidence_competing_risks, kaplan_meier_estimator


def weighted(rows: list[tuple[int, bool, float]]) -> dict[str, object]:
    days, closed, weight = (np.array(each) for each in zip(*rows, strict=True))
    fitted = KaplanMeierFitter().fit(days, closed, weights=weight)
    table, bands = fitted.survival_function_, fitted.confidence_interval_
    return {
        "days": list(map(int, table.index)),
        "falling": table.iloc[:, 0].tolist(),
        "lower": bands.iloc[:, 0].tolist(),
        "upper": bands.iloc[:, 1].tolist(),
        "median": fitted.median_survival_time_,
    }


def plain(rows: list[tuple[int, bool]]) -> dict[str, object]:
    days, closed = (np.array(each) for each in zip(*rows, strict=True))
    times, falling, bands = kaplan_meier_estimator(closed.astype(bool), days, conf_type="log-log")
    return {"days": times.tolist(), "falling": falling.tolist(), "lower": bands[0].tolist(), "upper": bands[1].tolist()}


def competing(rows: list[tuple[int, int]]) -> dict[str, object]:
    days, way = (np.array(each) for each in zip(*rows, strict=True))
    times, incidence = cumulative_incidence_competing_risks(way, days)
    return {"days": times.tolist(), "ways": incidence[1:].tolist()}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(
        [{"weighted": weighted, "plain": plain, "competing": competing}[kind](rows) for kind, rows in asked], sys.stdout
    )
