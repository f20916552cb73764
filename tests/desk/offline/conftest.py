"""Browsers of people who have signed in, each with what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from tests.desk.conftest import PATIENCE
from tests.desk.offline.town import Enters, Town, sign_in, town_at


@pytest.fixture
def enters(browser: Browser) -> Iterator[Enters]:
    with ExitStack() as stack:

        def enter(engine: Engine, address: str, account: str, width: int = 1200) -> BrowserContext:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, base_url=address, locale="fr-FR", timezone_id="Africa/Bamako"
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            sign_in(context, engine, address, account)
            return context

        yield enter


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    """Needs are being identified."""
    with town_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as town:
        yield town
