"""When a review of the plan may be opened, and as which kind."""

from __future__ import annotations

from collections.abc import Iterable

from cycle.aggregates.base import Finding, Role, ruled
from cycle.aggregates.framework.rules import policy_of
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import ReviewKind
from cycle.policy import Effect


def a_review_is_due(state: Framework, known: Known) -> Iterable[Finding]:
    """In the middle of the plan, on its last day and later, or early because of a severe obstacle (policy)."""
    possible = tuple(kind.value for kind in ReviewKind if all(finding.met for finding in why_not(state, kind, known)))
    if not possible:
        ends = state.plan.window.ends_on if state.plan else None
        values = {"ends_on": str(ends), "on": known.on.isoformat()}
        yield Finding("not-monitored-yet", values=values, lift=(Role.FACILITATOR,))
    elif len(possible) < len(ReviewKind):
        yield Finding("review-kinds", effect=Effect.WARN, values={"kinds": possible})


def the_plan_ends_soon(state: Framework, known: Known) -> Iterable[Finding]:
    """People are told some days before the plan ends (policy)."""
    policy, plan = policy_of(known), state.plan
    if plan is not None:
        rule, left = policy.deadline_warning_days, (plan.window.ends_on - known.on).days
        met, ends_on = not 0 <= left <= rule.value, plan.window.ends_on.isoformat()
        yield ruled("plan-ends-soon", policy, rule, met, ends_on=ends_on, days=left)


def why_not(state: Framework, kind: ReviewKind, known: Known) -> list[Finding]:
    """What a kind of review asks of the day and of the obstacles."""
    assert state.plan is not None
    ends = state.plan.window.ends_on
    values = {"ends_on": ends.isoformat(), "on": known.on.isoformat()}
    over, lift = known.on >= ends, (Role.FACILITATOR,)
    if kind is ReviewKind.MID_TERM:
        running = state.stage is Stage.MONITORING
        return [Finding("too-late-for-mid-term", running and not over, values=values, lift=lift)]
    # A severe obstacle is reason enough to end early: the review then measures what there is.
    early = kind is ReviewKind.END and state.stage is Stage.MONITORING and severe_obstacle(state, known).met
    found = [Finding("window-still-runs", over or early, values=values, lift=lift)]
    if kind is ReviewKind.OVERDUE and over:
        found.append(Finding("not-overdue", known.on > ends, values=values, lift=lift))
    return found


def severe_obstacle(state: Framework, known: Known) -> Finding:
    """The worst open obstacle is reason for a review (policy)."""
    policy = policy_of(known)
    rule, worst = policy.severe_obstacle, max((o.severity for o in state.open_obstacles()), default=0)
    return ruled("severe-obstacle", policy, rule, worst >= rule.value, severity=worst, limit=rule.value)
