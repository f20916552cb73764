"""What the contract suggests is answered as the contract says: a few of each here, thousands in ``benchmarks.fuzz``."""

from __future__ import annotations

from pathlib import Path

from tests.http.fuzzing import MODES, Answers, a_town, fuzz, operations


def test_no_answer_is_undocumented_and_nothing_is_our_fault(sqlite_url: str, tmp_path: Path) -> None:
    answers: Answers = Answers()
    with a_town(sqlite_url, tmp_path) as (app, there):
        for operation in operations(app):
            for mode in MODES:
                answers += fuzz(operation, mode, 3, 4, there)
    assert {200, 201, 404, 422} <= {status for _, status in answers}
