"""Lives of frameworks with everything that makes durations hard: suspensions, late records, corrections, second
thoughts about a plan. Each step is decided as the engine decides it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from random import Random

from cycle.aggregates.framework.anytime import Dissolve, Resume, Suspend
from cycle.aggregates.framework.plan import ReopenNegotiation
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import DeliberationId, Outcome
from cycle.history import Fact, believed
from tests.domain.story import Story
from tests.domain.walks import command, replay, tale_begun
from tests.projections.rows import correction

STEPS = 600


@cache
def life(seed: int) -> list[Fact]:
    """A random accepted history of a framework."""
    chance, tale = Random(seed), tale_begun()
    for _ in range(STEPS):
        if tale.state.stage is Stage.DISSOLVED:
            break
        _live(tale, chance)
    return [Fact(n, recorded) for n, recorded in enumerate(tale.history, 1)]


def _live(tale: Story, chance: Random) -> None:
    """One step; whatever is refused changes nothing."""
    now, draw = tale.now, chance.random()
    if tale.state.stage is Stage.SUSPENDED:
        tale.when(Resume(reason="Les pluies sont passées"), on=now + timedelta(days=chance.randint(0, 120)))
    elif draw < 0.001:
        tale.when(Dissolve(deliberation=DeliberationId(f"d-{Outcome.ADOPTED}"), reason="Fin"), on=now)
    elif draw < 0.02:
        tale.when(Suspend(reason="Les pluies"), on=now + timedelta(days=chance.randint(0, 9)))
    elif draw < 0.05:
        tale.when(correction(tale, chance), on=now)
        tale.state = replay(list(believed(tale.history)))
    elif draw < 0.15:
        _late(tale, chance)
    elif draw < 0.3 and tale.state.stage is Stage.PLAN:
        tale.when(ReopenNegotiation(reason="Un membre manquait"), on=now + timedelta(days=chance.randint(0, 5)))
    else:
        said, on = command(tale, chance)
        tale.when(said, on=on)


def _late(tale: Story, chance: Random) -> None:
    """Something that had lain in a bag; time goes on from where it was."""
    now = tale.now
    said, _ = command(tale, chance)
    tale.know(late_record=True).when(said, on=now - timedelta(days=chance.randint(1, 40)))
    tale.know(late_record=False).now = now
