"""One question of an evaluator as a file: ``cycle timings M1 --format csv``."""

from __future__ import annotations

from pathlib import Path

import click

from cycle.catalogue import verbatim
from cycle.exports.figures import Part, taken
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.settings import Settings
from cycle.timings.listing import EVERY_GROUP
from cycle.timings.measuring import By
from cycle_adapters.cli.printing import emit
from cycle_adapters.cli.wording import Wrong
from cycle_adapters.tabular import FORMS
from cycle_adapters.whole import written_or_out

FORM = click.Choice([*FORMS])
A_FILE = click.Path(path_type=Path)


def asked_for(metric: str | None, form: str | None, to: Path | None, *, rows: bool) -> Part | None:
    """Which table is wanted as a file; None: none is.

    Raises:
        Wrong: a file of nothing, or what is said of a file without one.
    """
    if form is None:
        if to is not None or rows:
            raise Wrong("timings-no-format")
        return None
    if metric is None:
        raise Wrong("timings-file-of-what")
    return Part.ROWS if rows else Part.FIGURES


def write(
    settings: Settings,
    reader: Reader,
    metric: str,
    part: Part,
    by: By | None,
    filters: Filters,
    cutoffs: Cutoffs,
    *,
    form: str,
    to: Path | None,
) -> None:
    """Write it, and say where it stands."""
    with written_or_out(to) as file:
        table = taken(reader, metric, part, by, EVERY_GROUP, filters, cutoffs)
        count = FORMS[form].write(file, table.columns, table.rows)
    if to is None:
        return
    if settings.json:
        emit({"path": str(to), "rows": count})
    else:
        click.echo(
            verbatim("message.timings-written", settings.language, rows=count, path=str(to)), err=not to.is_file()
        )
