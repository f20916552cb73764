"""The evaluator's pictures over HTTP: each drawn, and as the data that it shows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cycle.catalogue import text
from cycle.fields import Fault
from cycle.history import Cutoffs
from cycle.timings.measuring import By
from cycle.timings.pictures.all import PICTURES, Pictured, pictured
from cycle_adapters.http.answering import Answer
from cycle_adapters.http.calling import AtLeast, Call, Calling, looking_back
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, filed, shaped
from cycle_adapters.http.filtering import Asked, of_frameworks
from cycle_adapters.http.parameters import CohortsBy, Lang, Moments, PictureId
from cycle_adapters.http.problems import invalid
from cycle_adapters.pictures.drawing import MEDIA, drawn

Wanted = Annotated[Asked, Depends(of_frameworks)]


def picture_routes() -> APIRouter:
    """Every picture; each takes the filters and cut-offs of its figures."""
    router = APIRouter()
    codes = (*PROBLEMS_OF_READING, "busy")
    file = filed(MEDIA, "The picture, with its title and its figures in words.", codes, unchanged=True)
    data = shaped(Pictured, codes, unchanged=True)
    router.get("/timings/pictures/{picture}.svg", responses=file, summary="How long it takes, drawn")(as_svg)
    router.get("/timings/pictures/{picture}", responses=data, summary="What a picture shows")(as_data)
    return router


def as_svg(
    picture: PictureId, call: Calling, cutoffs: Moments, wanted: Wanted, by: CohortsBy | None = None,
    min_position: AtLeast = None, lang: Lang = None,
) -> Response:  # fmt: skip
    answer, found = _found(picture, call, cutoffs, wanted, by, min_position)
    return found if isinstance(found, Response) else answer.file(drawn(found, call.language), MEDIA)


def as_data(
    picture: PictureId, call: Calling, cutoffs: Moments, wanted: Wanted, by: CohortsBy | None = None,
    min_position: AtLeast = None, lang: Lang = None,
) -> Response:  # fmt: skip
    answer, found = _found(picture, call, cutoffs, wanted, by, min_position)
    return found if isinstance(found, Response) else answer.of(found)


def _found(
    name: str, call: Call, cutoffs: Cutoffs, wanted: Asked, by: str | None, at_least: int | None
) -> tuple[Answer, Pictured | Response]:
    """What the picture shows; or the whole answer, where nothing has changed since."""
    picture = PICTURES[name]
    reader = call.reads("timings", at_least)
    if by is not None and not picture.compares:
        raise invalid([Fault("by", text("message.picture-takes-no-groups", call.language))], call.language)
    if wanted.framework is None and picture.alone:
        raise invalid([Fault("framework", text("message.picture-of-one", call.language))], call.language)
    answer = Answer(call, reader)
    if unchanged := answer.unchanged():
        return answer, unchanged
    filters = wanted.filters(reader)
    with looking_back(call.doors, filters, cutoffs):
        return answer, pictured(reader, picture, By(by) if by else None, filters, cutoffs)
