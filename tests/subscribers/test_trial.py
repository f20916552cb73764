"""Every kind of subscriber hears each event once, in order, none missing: the trial at a size for every day.

The whole size is ``python -m benchmarks.subscribers``.
"""

from __future__ import annotations

import pytest

from tests.subscribers.kinds import KINDS
from tests.subscribers.subscriber import Heard
from tests.subscribers.trial import Outcome, trial
from tests.webhooks.conftest import in_house as in_house
from tests.webhooks.conftest import receiver as receiver
from tests.webhooks.conftest import town as town
from tests.webhooks.town import Town

APPENDS = 15


def test_each_event_is_heard_once_and_in_order_whatever_it_is_heard_by(town: Town) -> None:
    for name, outcome in trial(town, KINDS, seed=1, appends=APPENDS).items():
        assert outcome.once == outcome.recorded, name
        assert len(outcome.recorded) > 8 * APPENDS


@pytest.mark.parametrize("heard", [(1, 3), (1, 3, 2), (1, 2, 2), (), (2, 1, 2, 3)])
def test_what_is_missing_or_out_of_order_is_noticed(heard: tuple[int, ...]) -> None:
    """So that what holds above says something."""
    outcome = Outcome([Heard(str(n), n) for n in (1, 2, 3)], [Heard(str(n), n) for n in heard])
    assert outcome.once != outcome.recorded
