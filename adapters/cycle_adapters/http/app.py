"""The API, and pages for people: every page has its JSON, the URL is the whole state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Semaphore
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cycle import __version__
from cycle.engine import Engine
from cycle.groups.known import Groups
from cycle.groups.leasing import Leasing
from cycle.projections.runner import Runner
from cycle.reading import Reader
from cycle.settings import DEFAULT_ADDRESS
from cycle.tally import Tally
from cycle_adapters.http.callers import Callers
from cycle_adapters.http.calling import Doors
from cycle_adapters.http.contract import contract, contract_routes
from cycle_adapters.http.damage import Search
from cycle_adapters.http.evaluation import evaluation_routes
from cycle_adapters.http.feeds import feed_routes
from cycle_adapters.http.following import Feeds
from cycle_adapters.http.groups import group_routes
from cycle_adapters.http.guarding import Counted, HeadAsGet, Measured, SameSite, Secured, Unexpected
from cycle_adapters.http.limits import THREADS, Buckets, Limits
from cycle_adapters.http.overview import overview_routes
from cycle_adapters.http.pages import Pages, pages
from cycle_adapters.http.paper import paper_routes
from cycle_adapters.http.pictures import picture_routes
from cycle_adapters.http.policies import policy_routes
from cycle_adapters.http.problems import answer_problems
from cycle_adapters.http.proving import proof_routes
from cycle_adapters.http.reading import reading_routes
from cycle_adapters.http.rooms import Rooms
from cycle_adapters.http.saying import saying_routes
from cycle_adapters.http.sessions_api import sessions_routes
from cycle_adapters.http.sign_in_pages import SigningIn, sign_in_pages
from cycle_adapters.http.streaming import EventStream
from cycle_adapters.http.vocabulary import vocabulary_routes
from cycle_adapters.http.webhooks import webhook_routes

API = "/api/v1"
COMPRESSED = ("application/pdf", "application/zip", EventStream.media_type)
"""Of what we answer, what is small already, and what comes bit by bit. Each request looks through it."""
OF_THE_API = (
    reading_routes, saying_routes, proof_routes, paper_routes, policy_routes, feed_routes, webhook_routes,
    evaluation_routes, picture_routes, group_routes, overview_routes, vocabulary_routes, contract_routes,
)  # fmt: skip
"""What makes the routes of the contract."""


def make_app(
    engine: Engine,
    callers: Callers,
    rooms: Rooms,
    limits: Limits = Limits(),  # noqa: B008
    door: SigningIn | None = None,
    runner: Runner | None = None,
    address: str = DEFAULT_ADDRESS,
) -> FastAPI:
    """The application over one engine; it keeps the projections up to date as it is read.

    ``callers`` tells who calls; ``rooms`` is what it hands on from; ``limits`` how much one of them may ask for;
    ``door`` where people sign in (None: nowhere); ``runner`` what folds for it;
    ``address`` how others call it.
    """
    app = FastAPI(title="cycle", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_life)
    app.state.engine, app.state.look = engine, Pages(signs_in=door is not None)
    app.state.doors = Doors(
        engine,
        Reader(engine, "", runner),
        callers,
        Buckets(limits.account),
        Semaphore(limits.waiting),
        limits.wait_seconds,
        rooms,
        Semaphore(limits.printing),
        Semaphore(limits.bundling),
        Semaphore(limits.past),
    )
    app.state.leasing = Leasing(Groups(engine))
    app.state.tally = Tally(engine.store)
    app.state.feeds = Feeds(engine, rooms.seals, limits.following, address)
    # The one that is added last stands before all others.
    app.add_middleware(GZipMiddleware, minimum_size=700, compresslevel=6, exclude_content_types=COMPRESSED)
    app.add_middleware(Measured)
    app.add_middleware(SameSite)
    app.add_middleware(Counted, buckets=Buckets(limits.address))
    app.add_middleware(Unexpected, search=Search(lambda: rooms.seals.damage(engine)))
    app.add_middleware(Secured)
    app.add_middleware(HeadAsGet)
    answer_problems(app)
    for routes in OF_THE_API:
        app.include_router(routes(), prefix=API)
    app.include_router(pages(app.state.look), include_in_schema=False)
    app.state.signs_in = door is not None
    if door is not None:
        app.include_router(sessions_routes(door), prefix=API)
        app.include_router(sign_in_pages(door, app.state.look))

    def openapi() -> dict[str, Any]:
        return contract(app)

    app.openapi = openapi  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield
    app.state.feeds.tail.close()
