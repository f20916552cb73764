"""The review: what the plan has come to, what goes on, and how the next cycle begins."""

from __future__ import annotations

from datetime import timedelta

from cycle.aggregates.base import Role
from cycle.aggregates.framework import adjustment, contributions, monitoring, obstacles
from cycle.aggregates.framework.state import ActionStage, ObstacleStage, Stage
from cycle.aggregates.terms import Constituency, Ledger, ReviewKind
from cycle.demo.steps import Steps
from cycle.demo.teller import Teller


def mid_term(tell: Teller) -> Steps:
    """A review in the middle, because something blocks: the plan is adjusted inside its window."""
    state = tell.state
    assert state.plan is not None
    window, running = state.plan.window, state.unsettled()
    if tell.day >= window.ends_on or not running:
        return
    severe = [obstacle for obstacle in state.open_obstacles() if obstacle.severity == 3]
    yield from tell.do(adjustment.OpenReview(kind=ReviewKind.MID_TERM))
    words = f"À mi-parcours {len(running)} action(s) sur {len(state.negotiated())} restent ouvertes"
    yield from tell.do(adjustment.RecordReview(findings=words))
    change = adjustment.ActionChange(running[0].id, due_on=window.ends_on)
    added = tuple(
        adjustment.ActionAdded(
            description=f"Lever la difficulté : {obstacle.description}",
            responsible=tell.members(Constituency.MUNICIPALITY)[0],
            due_on=window.ends_on,
            obstacles=(obstacle.id,),
        )
        for obstacle in severe[:1]
    )
    dropped = (running[-1].id,) if len(running) > 2 and tell.likely(0.3) else ()
    causes = tuple(obstacle.description for obstacle in severe) or ("Retard de livraison",)
    yield from tell.do(adjustment.AdjustPlan(causes=causes, changes=(change,), added=added, dropped=dropped))


def review(tell: Teller, turn: int) -> Steps:
    """Every action gets an outcome, every obstacle a decision, and promises are spoken about."""
    yield from tell.meanwhile(tell.day)
    with tell.sitting():
        yield from opened(tell)
        yield from settled(tell)
        yield from promises(tell)
    tell.blocked.clear()
    tell.wait(1, 20)
    yield from next_cycle(tell, turn)
    tell.wait(0, 12)


def settled(tell: Teller) -> Steps:
    """What became of each action, and what of each obstacle."""
    for action in tell.state.unsettled():
        if action.percent >= 60 and action.id not in tell.blocked and tell.likely(0.5):
            yield from tell.do(monitoring.CompleteAction(action=action.id), Role.FACILITATOR)
        elif tell.likely(0.75):
            reason = tell.chance.choice(tell.words.carried)
            yield from tell.do(adjustment.CarryOverAction(action=action.id, reason=reason))
            tell.believe(-0.02)
        else:
            reason = tell.chance.choice(tell.words.abandoned)
            yield from tell.do(monitoring.AbandonAction(action=action.id, reason=reason))
            tell.believe(-0.04)
    for obstacle in tell.state.open_obstacles():
        if obstacle.stage is ObstacleStage.SOLUTION_AGREED and tell.likely(0.4):
            yield from tell.do(obstacles.ResolveObstacle(obstacle=obstacle.id, how="Constaté en rencontre"))
        elif tell.likely(0.2):
            yield from tell.do(obstacles.AcceptObstacle(obstacle=obstacle.id, reason="On fait avec"))
        else:
            yield from tell.do(adjustment.CarryOverObstacle(obstacle=obstacle.id, reason="À reprendre"))


def opened(tell: Teller) -> Steps:
    """The review opens when the plan ends or later, if it is not open since a suspension; it measures."""
    state = tell.state
    assert state.plan is not None
    ends = state.plan.window.ends_on
    if state.stage is Stage.MONITORING:
        tell.day = max(tell.day, ends)
        kind = ReviewKind.OVERDUE if tell.day > ends + timedelta(days=7) else ReviewKind.END
        role = Role.COMMITTEE if tell.likely(0.3) else Role.FACILITATOR
        yield from tell.do(adjustment.OpenReview(kind=kind), role)
    done = sum(action.stage is ActionStage.COMPLETED for action in state.negotiated())
    lessons = tuple(tell.chance.sample(tell.words.lessons, tell.chance.choice((0, 0, 1, 2))))
    words = f"Plan lu action par action : {done} sur {len(state.negotiated())} terminées"
    yield from tell.do(adjustment.RecordReview(findings=words, lessons=lessons))


def promises(tell: Teller) -> Steps:
    """Those of members who left must be decided; those of an earlier cycle usually are."""
    for promise in list(tell.state.contributions.values()):
        left = promise.member not in tell.state.members
        old = promise.cycle < tell.state.cycle
        if left or tell.likely(0.7 if old else 0.3 if promise.ledger is Ledger.APPROACH else 0.0):
            if left or tell.likely(0.55):
                reason = "Le membre est parti" if left else tell.chance.choice(tell.words.waived)
                yield from tell.do(contributions.WaiveContribution(contribution=promise.id, reason=reason))
            else:
                reason = tell.chance.choice(tell.words.reneged)
                yield from tell.do(contributions.RecordRenege(contribution=promise.id, reason=reason))
                tell.believe(-0.12)


def next_cycle(tell: Teller, turn: int) -> Steps:
    """With needs enough for another plan straight to the meeting, else the professions are asked again."""
    completed = [action for action in tell.state.negotiated() if action.stage is ActionStage.COMPLETED]
    answered = {need for action in completed for need in action.needs}
    if len(set(tell.state.needs) - answered) < 2 or turn % 2 == 0:
        due = tell.day + timedelta(days=25)
        again = adjustment.ReopenNeeds(reason="Nouvelle campagne agricole", due_on=due)
        yield from tell.do(again, closes_cycle=True)
    else:
        yield from tell.do(adjustment.NextMeeting(), closes_cycle=True)
