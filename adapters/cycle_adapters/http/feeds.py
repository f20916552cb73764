"""The log as other systems follow it: read on by position, or streamed as Server-Sent Events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from cycle.aggregates.framework.root import framework as framework_aggregate
from cycle.engine import stream_of
from cycle.feed import QUESTION, Events, Feed, Wanted
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import PROBLEMS_OF_READING, Declared, problems, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.following import Feeds, Follower
from cycle_adapters.http.parameters import EventType, Lang, ManyAtOnce, Place, Position, Seconds
from cycle_adapters.http.streaming import MESSAGE, EventStream

PROBLEMS_OF_FEEDS = (*PROBLEMS_OF_READING, "ahead-of-log")
After = Annotated[Position, Query(description="The position behind which to go on: `next` of the batch before.")]
Types = Annotated[list[EventType] | None, Query(alias="type", description="Of these types alone.")]
Wait = Annotated[Seconds, Query(description="Wait so many seconds for the first event.")]
Seen = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern="^[0-9]{0,20}$", description="As `after`, and before it.")
]


def feed_routes() -> APIRouter:
    """Every route that follows the log."""
    router = APIRouter()
    batch = shaped(Events, PROBLEMS_OF_FEEDS)
    router.get("/events", responses=batch, summary="Events in the order of the log")(events)
    content = {EventStream.media_type: {"schema": MESSAGE}}
    stream: Declared = {200: {"description": "Messages as they come.", "content": content}}
    stream |= problems(PROBLEMS_OF_FEEDS)
    router.get("/events/stream", responses=stream, summary="The same as Server-Sent Events")(events_stream)
    return router


async def events(
    call: Calling,
    after: After = 0,
    limit: Annotated[ManyAtOnce, Query(description="How many events at most.")] = 100,
    wait: Wait = 0,
    type: Types = None,
    framework: Place | None = None,
    commune: Place | None = None,
    region: Place | None = None,
    lang: Lang = None,
) -> Response:
    follower = await run_in_threadpool(_follower, call, type, framework, commune, region)
    batch = await follower.first(after, limit, wait)
    told = await run_in_threadpool(batch.told, follower.feeds.envelopes, follower.feeds.heads)
    url = call.request.url.include_query_params(after=batch.to)
    headers = {"Cycle-Position": str(batch.head), "Link": f'<{url.path}?{url.query}>; rel="next"'}
    return as_json(told, headers=headers)


async def events_stream(
    call: Calling,
    after: After = 0,
    type: Types = None,
    framework: Place | None = None,
    commune: Place | None = None,
    region: Place | None = None,
    seen: Seen = None,
    lang: Lang = None,
) -> Response:
    follower = await run_in_threadpool(_follower, call, type, framework, commune, region)
    begin = int(seen) if seen else after
    # What is wrong from the beginning is an answer with a status, and no stream.
    follower.feeds.demand_place(follower.account)
    await follower.read(begin, 1)
    return EventStream(follower.stream(begin), follower.feeds.pace.slow_seconds, lambda: follower.closed("slow-reader"))


def _follower(
    call: Call, types: list[str] | None, framework: str | None, commune: str | None, region: str | None
) -> Follower:
    """What follows the log for a request, by names as they were typed.

    Raises:
        PlaceUnknown, PlaceAmbiguous: with what to name instead.
    """
    # Only names of places need what is folded from the log; whoever reads on does not wait for it.
    reader = call.reads(QUESTION) if framework or commune else call.reads_log(QUESTION)
    code = call.about(reader.find(commune).commune) if commune else None
    chosen = stream_of(framework_aggregate, reader.find_framework(framework)) if framework else None
    feeds: Feeds = call.request.app.state.feeds
    return Follower(call, Feed(reader, Wanted(tuple(types or ()), chosen, code, region)), feeds)
