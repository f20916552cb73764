"""Signs that a framework may come to a halt: declared once, each with its points and the limit that it goes by.

They are no prediction: nobody has measured how often a framework with so many points stops. They say where to look
first, and why. A limit is taken from the policy where the policy has one; the others are ours and are said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from statistics import fmean

from msgspec import Struct

from cycle.aggregates.framework.plan import add_months
from cycle.aggregates.framework.state import Stage
from cycle.policy import Policy
from cycle.projections.runs import ActionEnd, MeetingRunRow, action_run, meeting_run, need_run, promise_run
from cycle.projections.spells import CycleIntervalRow, Mark, cycle_interval, obstacle_spell, stage_visit
from cycle.timings.cases import needs_of
from cycle.timings.charts import xmr
from cycle.timings.sheets import Sheet

PROJECTIONS = (obstacle_spell, promise_run, meeting_run, need_run, action_run)
"""What a sheet must hold for the signs to be looked for."""
LONGEST_PLANS = 2
"""Without a usual length of its own, a framework has so many of the policy's longest plans for one turn."""
PEOPLE_PERCENT = 60
"""Of the people who used to come."""
EARLIER_MEETINGS = 2
"""There are, before one may say who used to come."""
LATE_PERCENT = 50
"""Of the actions whose day has come."""
OVERDUE_PERCENT = 25
"""Of the promises whose day has come."""
PASSED_BY = 2
"""Plans without a need."""


class Seen(Struct, frozen=True):
    """What a sign was seen by: a value that is beyond a limit, and the facts that both rest on.

    ``about``: the things that it is about, by their numbers. ``article``: of the policy that sets the limit.
    """

    value: int
    limit: int
    events: tuple[Mark, ...]
    about: tuple[str, ...] = ()
    article: str | None = None


class Look:
    """One framework under its policy, on a day."""

    def __init__(self, sheet: Sheet, policy: Policy) -> None:
        self.sheet, self.policy = sheet, policy
        self.on = sheet.on

    @cached_property
    def plan(self) -> CycleIntervalRow | None:
        """The last plan that was agreed."""
        last = self.sheet.of(cycle_interval)[-1]
        return last if last.cycle else None

    @cached_property
    def meetings(self) -> Sequence[MeetingRunRow]:
        return sorted(self.sheet.of(meeting_run), key=lambda each: each.held.version)

    def days(self, since: date) -> int:
        return (self.on - since).days

    def months(self, begin: date, months: int) -> int:
        """So many months from a day on, in days."""
        return (add_months(begin, months) - begin).days


def plan_over(look: Look) -> Seen | None:
    """The plan is over, and neither its review nor the next plan has come."""
    plan = look.plan
    if plan is None or plan.due_on is None or plan.review or look.days(plan.due_on) <= 0:
        return None
    return Seen(look.days(plan.due_on), 0, (plan.began,))


def long_turn(look: Look) -> Seen | None:
    """The turn, or the time before the first plan, lasts longer than is usual.

    What is usual is the framework's own; where that cannot be said, two of the longest plans.
    """
    turns = look.sheet.of(cycle_interval)
    own, plan = [row for row in turns if row.cycle and row.ended], turns[-1]
    chart = xmr([(row.ended.on - row.began.on).days for row in own if row.ended])
    rule = look.policy.plan_months_max
    limit = int(chart.upper) if chart else look.months(plan.began.on, LONGEST_PLANS * rule.value)
    article = None if chart else look.policy.article(rule)
    days = look.days(plan.began.on)
    return Seen(days, limit, (plan.began,), article=article) if days > limit else None


def no_meeting(look: Look) -> Seen | None:
    """No meeting has been opened for longer than a plan lasts at most."""
    opened = [each for each in look.meetings if each.opened]
    if not opened:
        return None
    last, rule = opened[-1].held, look.policy.plan_months_max
    days, limit = look.days(last.on), look.months(last.on, rule.value)
    return Seen(days, limit, (last,), (opened[-1].meeting,), look.policy.article(rule)) if days > limit else None


def not_opened(look: Look) -> Seen | None:
    """The last meetings could not be opened."""
    failed = []
    for each in reversed(look.meetings):
        if each.opened:
            break
        failed.append(each)
    return _several([each.held for each in failed], [each.meeting for each in failed])


def attendance_falls(look: Look) -> Seen | None:
    """Fewer people came to the last meeting than used to come."""
    listed = [each for each in look.meetings if each.listed]
    earlier, last = listed[:-1], listed[-1:]
    if len(earlier) < EARLIER_MEETINGS:
        return None
    usual = fmean(each.women + each.men for each in earlier)
    percent = round(100 * (last[0].women + last[0].men) / usual) if usual else 100
    facts = tuple(each.held for each in listed)
    return Seen(percent, PEOPLE_PERCENT, facts, (last[0].meeting,)) if percent < PEOPLE_PERCENT else None


def severe_obstacles(look: Look) -> Seen | None:
    """Severe obstacles are open without a solution."""
    rule = look.policy.severe_obstacle
    open_ = [
        (row.obstacle, row.spells[-1])
        for row in look.sheet.of(obstacle_spell)
        if row.severity >= rule.value and not row.spells[-1].ended and not row.spells[-1].solution
    ]
    found = _several([spell.identified for _, spell in open_], [name for name, _ in open_])
    return found and Seen(found.value, 0, found.events, found.about, look.policy.article(rule))


def promises_overdue(look: Look) -> Seen | None:
    """Many promises of this plan are past their day, have not arrived, and nobody has said what becomes of them."""
    plan, promises = look.plan, look.sheet.of(promise_run)
    due = [row for row in promises if plan and row.cycle == plan.cycle and row.due_on and row.due_on < look.on]
    late = [
        row for row in due if not row.ended and sum((each.amount for each in row.deliveries), Decimal(0)) < row.amount
    ]
    return _most([row.pledged for row in due], [row.contribution for row in late], OVERDUE_PERCENT)


def actions_late(look: Look) -> Seen | None:
    """More than half of the actions of the plan whose day has come are not completed."""
    plan = look.plan
    due = [row for row in look.sheet.of(action_run) if plan and row.cycle == plan.cycle and row.due_on < look.on]
    late = [row.action for row in due if row.outcome is not ActionEnd.COMPLETED]
    return _most([row.agreed for row in due], late, LATE_PERCENT)


def needs_passed_by(look: Look) -> Seen | None:
    """Needs wait that several plans have passed by."""
    waiting = [
        need for need in needs_of(look.sheet) if not need.planned and not need.withdrawn and need.waited >= PASSED_BY
    ]
    return _several([need.identified for need in waiting], [need.need for need in waiting])


def suspended(look: Look) -> Seen | None:
    """The framework is suspended."""
    last = look.sheet.of(stage_visit)[-1]
    return Seen(look.days(last.entered.on), 0, (last.entered,)) if last.stage is Stage.SUSPENDED else None


def _several(facts: Sequence[Mark], about: Sequence[str]) -> Seen | None:
    """So many of them, where there should be none."""
    return Seen(len(facts), 0, tuple(facts), tuple(about)) if facts else None


def _most(due: Sequence[Mark], late: Sequence[str], limit: int) -> Seen | None:
    """So many in a hundred of those whose day has come, where there should be fewer."""
    percent = round(100 * len(late) / len(due)) if due else 0
    return Seen(percent, limit, tuple(dict.fromkeys(due)), tuple(late)) if percent > limit else None


class Sign(Struct, frozen=True):
    """What to look for, and how much it weighs. Its sentence stands under its code in the catalogue."""

    code: str
    points: int
    seen: Callable[[Look], Seen | None]


SIGNS: Mapping[str, Sign] = {
    sign.code: sign
    for sign in (
        Sign("suspended", 3, suspended),
        Sign("plan-over", 3, plan_over),
        Sign("long-turn", 3, long_turn),
        Sign("no-meeting", 2, no_meeting),
        Sign("not-opened", 2, not_opened),
        Sign("attendance-falls", 2, attendance_falls),
        Sign("severe-obstacles", 2, severe_obstacles),
        Sign("promises-overdue", 2, promises_overdue),
        Sign("actions-late", 1, actions_late),
        Sign("needs-passed-by", 1, needs_passed_by),
    )
}
"""By code, the weightiest first."""
