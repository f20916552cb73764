"""Three months in the field: the committee, the actions, what arrives of the promises, what blocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from cycle.aggregates.base import Command, Role
from cycle.aggregates.framework import anytime, committee, contributions, meetings, monitoring, obstacles, plan, setup
from cycle.aggregates.framework.state import Action, Contribution, Stage
from cycle.aggregates.terms import (
    Aspect,
    Constituency,
    ContributionId,
    IncentiveKind,
    MandateCause,
    Method,
    Nature,
    ObstacleId,
    Rhythm,
    Seat,
    Worth,
)
from cycle.demo.review import mid_term
from cycle.demo.steps import Steps
from cycle.demo.teller import LATE, Teller
from cycle.demo.words import Trouble
from cycle.leaf import canonical

SEATED = (Constituency.MUNICIPALITY, Constituency.PROFESSIONAL_ORGANISATION, Constituency.NGO)


def install(tell: Teller, turn: int) -> Steps:
    """The committee and its mandate, then monitoring begins."""
    chance, state = tell.chance, tell.state
    tell.wait(1, 6)
    seated = [member for member in state.members.values() if member.constituency in SEATED]
    seats = tuple(
        Seat(member.id, f"personne-{tell.number + 1:02}-{turn}-{n}", woman=n % 2 == 1, youth=n % 3 == 1)
        for n, member in enumerate(seated)
    )
    tasks = tuple(chance.sample(tell.words.tasks, chance.randint(3, 5)))
    if state.committee is None:
        yield from tell.do(committee.InstallCommittee(seats=seats))
        yield from tell.do(committee.DefineMandate(tasks=tasks))
    else:
        somebody_left = any(seat.member not in state.members for seat in state.committee.seats)
        if somebody_left or tell.likely(0.3):
            yield from tell.do(committee.RenewCommittee(seats=seats))
        else:
            yield from tell.do(committee.KeepCommittee())
        cause = chance.choice((MandateCause.RESULTS, MandateCause.NEW_NEEDS))
        yield from tell.do(committee.AmendMandate(tasks=tasks, cause=cause))
    tell.wait(0, 5)
    yield from tell.do(monitoring.StartMonitoring())
    for meeting in tell.state.unapproved_minutes:
        objections = (chance.choice(tell.words.objections),) if tell.likely(0.15) else ()
        approve = meetings.ApproveMinutes(meeting=meeting, objections=objections)
        tell.later(tell.day + timedelta(days=chance.randint(1, 9)), _say(tell, approve, tell.day, None), LATE)


def _say(tell: Teller, command: Command, on: date, role: Role | None) -> Callable[[], Steps]:
    return lambda: tell.note(command, on, role)


def monitor(tell: Teller, turn: int, *, suspended: Callable[[Teller], Steps] | None) -> Steps:
    """What is done and seen until the review, and what interrupts it."""
    chance, state = tell.chance, tell.state
    assert state.plan is not None
    window = state.plan.window
    for action in state.negotiated():
        work_on(tell, action)
    for promise in state.contributions.values():
        if promise.cycle == state.cycle:
            deliver(tell, promise)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        trouble(tell, tell.day + timedelta(days=chance.randint(3, 60)))
    visits(tell, window.ends_on)
    if turn == 3 and tell.number % 4 == 0:
        yield from replaced(tell, turn)
    middle = max(tell.day, window.starts_on) + timedelta(days=chance.randint(32, 50))
    if middle < window.ends_on:
        tell.day = middle
        yield from tell.meanwhile(tell.day)
        if suspended is not None:
            yield from suspended(tell)
        if turn == 3 and tell.number % 9 == 8:
            gone = tell.members(Constituency.NGO)[0]
            yield from tell.do(setup.WithdrawMember(member=gone, reason="Fin du projet de l'ONG"))
        severe = any(obstacle.severity == 3 for obstacle in tell.state.open_obstacles())
        if tell.state.stage is Stage.MONITORING and (severe or (turn == 2 and tell.number % 3 == 0)):
            with tell.sitting():
                yield from mid_term(tell)
    lateness = round(chance.choice((-1, 0, 2, 5, 9, 14, 25)) * tell.pace)
    tell.day = max(tell.day, window.ends_on + timedelta(days=lateness))
    yield from tell.meanwhile(tell.day)


def replaced(tell: Teller, turn: int) -> Steps:
    """Somebody leaves the committee; the one who follows takes the same seat."""
    sitting = tell.state.committee
    assert sitting is not None
    seat = msgspec.structs.replace(sitting.seats[0], person=f"personne-{tell.number + 1:02}-{turn}-suppléant")
    follows = committee.ReplaceCommitteeMember(
        leaves=sitting.seats[0].person, seat=seat, reason="A quitté la commune pour la saison sèche"
    )
    yield from tell.do(follows)


def work_on(tell: Teller, action: Action) -> None:
    """Begun, reported once or twice, and done where nothing stands in the way."""
    chance = tell.chance
    assert action.due_on is not None
    if tell.likely(0.1):
        return
    days = max(6, (action.due_on - tell.day).days)
    begins = tell.day + timedelta(days=chance.randint(1, days // 2))
    tell.later(begins, lambda: _begin(tell, action, begins))
    for percent in sorted(chance.sample((20, 30, 40, 50, 60, 80), chance.randint(1, 2))):
        on = begins + timedelta(days=max(1, days * percent // 110))
        tell.later(on, _report(tell, action, percent, on))
    ends = action.due_on + timedelta(days=round(chance.randint(-12, 18) * tell.pace))
    ends = max(ends, begins)
    tell.later(ends, lambda: _finish(tell, action, ends))


def _runs(tell: Teller, action: Action) -> Action | None:
    return next((a for a in tell.state.unsettled() if a.id == action.id), None)


def _begin(tell: Teller, action: Action, on: date) -> Steps:
    now = _runs(tell, action)
    if now is not None and now.stage == "agreed":
        yield from tell.note(monitoring.StartAction(action=action.id), on, Role.COMMITTEE)


def _report(tell: Teller, action: Action, percent: int, on: date) -> Callable[[], Steps]:
    def say() -> Steps:
        now = _runs(tell, action)
        if now is None or now.percent >= percent:
            return
        note = tell.chance.choice((None, "Constaté sur place", "Selon le responsable", "Photo au dossier"))
        report = monitoring.ReportProgress(action=action.id, percent=percent, note=note)
        yield from tell.note(report, on, Role.COMMITTEE)

    return say


def _finish(tell: Teller, action: Action, on: date) -> Steps:
    """What is blocked or not paid for is rarely finished."""
    if _runs(tell, action) is None or action.id in tell.blocked:
        return
    waits = any(promise.action == action.id for promise in tell.state.contributions.values())
    if tell.likely(0.5 if waits else 0.92):
        done = monitoring.CompleteAction(action=action.id, result="Réceptionnée par le comité")
        yield from tell.note(done, on, Role.COMMITTEE)
        tell.believe(0.03)


def deliver(tell: Teller, promise: Contribution) -> None:
    """Whole, in parts, late, or never; a receipt is often typed long after the day it bears."""
    chance, due = tell.chance, promise.due_on
    assert due is not None
    fate = chance.random() / (0.6 + 0.4 * tell.trust)
    on = due + timedelta(days=round(chance.choice((-25, -14, -9, -5, -2, 0, 6, 24)) * max(1.0, tell.pace)))
    on = max(on, tell.day)
    if fate < 0.6:
        tell.later(on, lambda: _arrives(tell, promise.id, on), LATE)
    elif fate < 0.82:
        tell.later(on, lambda: _arrives(tell, promise.id, on, share=2), LATE)
        if tell.likely(0.5):
            second = on + timedelta(days=chance.randint(10, 40))
            tell.later(second, lambda: _arrives(tell, promise.id, second), LATE)
    elif fate < 0.92:
        words = chance.choice(tell.words.reneged)
        after = due + timedelta(days=chance.randint(5, 30))
        tell.later(after, lambda: _broken(tell, promise.id, words, after))


def _arrives(tell: Teller, promise: ContributionId, on: date, share: int = 1) -> Steps:
    now = tell.state.contributions.get(promise)
    if now is None:
        return
    left = contributions.still_open(now)
    part = left // share if left >= share else left
    worth = Worth(int(part)) if now.nature is Nature.CASH else Worth(None, part, now.pledged.unit)
    receipt_number = f"recu-{tell.number + 1:02}-{promise}" if now.nature is Nature.CASH else None
    arrived = contributions.ReceiveContribution(contribution=promise, worth=worth, receipt=receipt_number)
    receipt = yield from tell.note(arrived, on, Role.COMMITTEE)
    tell.believe(0.01 if share == 1 else -0.02)
    if receipt is not None and tell.likely(0.06):
        miswritten(tell, receipt.version, worth, on)


def miswritten(tell: Teller, version: int, worth: Worth, on: date) -> None:
    """Somebody wrote a wrong figure or a wrong day; the wrong fact stays visible."""
    if worth.amount_xof is not None and tell.likely(0.6):
        right = Worth(max(1_000, worth.amount_xof - 5_000))
        changes, words = {"worth": msgspec.Raw(canonical(right))}, "Le reçu dit un autre montant"
    else:
        day = on - timedelta(days=tell.chance.randint(1, 6))
        changes, words = {"occurred_on": msgspec.Raw(canonical(day))}, "Le reçu porte une autre date"
    correct = anytime.CorrectFact(fact_version=version, changes=changes, reason=words)
    seen = on + timedelta(days=tell.chance.randint(6, 25))
    tell.later(seen, lambda: tell.note(correct, seen))


def _broken(tell: Teller, promise: ContributionId, words: str, on: date) -> Steps:
    if promise in tell.state.contributions:
        yield from tell.note(contributions.RecordRenege(contribution=promise, reason=words), on)
        tell.believe(-0.12)


def trouble(tell: Teller, on: date) -> None:
    """An obstacle on its way: named, handed back, solved, gone; and sometimes back again."""
    tell.later(on, lambda: _named(tell, tell.chance.choice(tell.words.troubles), on))


def _named(tell: Teller, what: Trouble, on: date) -> Steps:
    actions = [action.id for action in tell.state.unsettled()]
    if not actions or any(what.what == obstacle.description for obstacle in tell.state.open_obstacles()):
        return
    action = tell.chance.choice(actions)
    raised = obstacles.RaiseObstacle(description=what.what, severity=what.severity, action=action)
    if (yield from tell.note(raised, on, Role.COMMITTEE)) is None:
        return
    obstacle = tell.state.open_obstacles()[-1].id
    if what.severity > 1:
        tell.blocked.add(action)
    told = on + timedelta(days=tell.chance.randint(1, 6))
    tell.later(told, lambda: _handed_back(tell, obstacle, what, told))


def _open(tell: Teller, obstacle: ObstacleId) -> bool:
    return any(found.id == obstacle for found in tell.state.open_obstacles())


def _handed_back(tell: Teller, obstacle: ObstacleId, what: Trouble, on: date) -> Steps:
    chance, members = tell.chance, list(tell.state.members)
    if not _open(tell, obstacle):
        return
    told = tuple(chance.sample(members, 2))
    channel = chance.choice(tell.words.channels)
    yield from tell.note(obstacles.CommunicateObstacle(obstacle=obstacle, members=told, channel=channel), on)
    if tell.likely(0.75):
        found = on + timedelta(days=round(chance.randint(2, 14) * tell.pace))
        tell.later(found, lambda: _solved(tell, obstacle, what, found))


def _solved(tell: Teller, obstacle: ObstacleId, what: Trouble, on: date) -> Steps:
    chance = tell.chance
    if not _open(tell, obstacle):
        return
    solution = obstacles.AgreeSolution(
        obstacle=obstacle,
        solution=chance.choice(what.solutions),
        responsible=chance.choice(list(tell.state.members)),
        due_on=on + timedelta(days=15),
    )
    yield from tell.note(solution, on)
    if tell.likely(0.7):
        ended = on + timedelta(days=round(chance.randint(3, 25) * tell.pace))
        tell.later(ended, lambda: _ended(tell, obstacle, what, ended))


def _ended(tell: Teller, obstacle: ObstacleId, what: Trouble, on: date) -> Steps:
    if not _open(tell, obstacle):
        return
    if (yield from tell.note(obstacles.ResolveObstacle(obstacle=obstacle, how=what.ended), on)) is None:
        return
    tell.blocked.clear()
    if tell.likely(0.15):
        back = on + timedelta(days=tell.chance.randint(2, 12))
        tell.later(back, lambda: _back_again(tell, obstacle, what, back))


def _back_again(tell: Teller, obstacle: ObstacleId, what: Trouble, on: date) -> Steps:
    now = tell.state.obstacles.get(obstacle)
    if now is None or now.stage not in obstacles.CLOSED or tell.state.stage is not Stage.MONITORING:
        return
    again = obstacles.ReopenObstacle(obstacle=obstacle, reason=tell.chance.choice(tell.words.reopened))
    yield from tell.note(again, on, Role.COMMITTEE)
    found = on + timedelta(days=tell.chance.randint(3, 10))
    tell.later(found, lambda: _solved(tell, obstacle, what, found))


def visits(tell: Teller, until: date) -> None:
    """Regular measures of what is produced and sold; the rest as it meets the eye."""
    chance, day = tell.chance, tell.day
    for sector in tell.home.sectors:
        measure = chance.choice(tell.words.trades[sector].measures)
        on = day + timedelta(days=chance.randint(5, 25))
        while on <= until:
            seen = monitoring.RecordMonitoring(
                aspect=Aspect.ECONOMIC,
                method=Method.MEASUREMENT,
                rhythm=Rhythm.REGULAR,
                subject=measure.subject,
                value=Decimal(chance.randint(measure.least, measure.most)),
                unit=measure.unit,
            )
            tell.later(on, _say(tell, seen, on, Role.COMMITTEE), LATE)
            on += timedelta(days=chance.randint(27, 34))
    for aspect, texts in tell.words.observed.items():
        if tell.likely(0.5):
            on = day + timedelta(days=chance.randint(5, 70))
            seen = monitoring.RecordMonitoring(
                aspect=aspect, method=Method.OBSERVATION, rhythm=Rhythm.AD_HOC, subject=chance.choice(texts)
            )
            tell.later(on, _say(tell, seen, on, Role.COMMITTEE), LATE)
    if tell.likely(0.45):
        on = day + timedelta(days=chance.randint(8, 70))
        tell.later(on, _say(tell, training(tell), on, None), LATE)
    if tell.likely(0.35):
        on = day + timedelta(days=chance.randint(3, 60))
        kind = chance.choice(list(IncentiveKind))
        helped = chance.choice(tell.members(Constituency.PROFESSIONAL_ORGANISATION))
        granted = monitoring.GrantIncentive(kind=kind, member=helped, description=tell.words.incentives[kind])
        tell.later(on, _say(tell, granted, on, Role.MAYOR), LATE)
    if tell.likely(0.2):
        on = day + timedelta(days=chance.randint(5, 60))
        cause = chance.choice((MandateCause.RESULTS, MandateCause.NEW_NEEDS))
        tasks = tuple(chance.sample(tell.words.tasks, 4))
        tell.later(on, _say(tell, committee.AmendMandate(tasks=tasks, cause=cause), on, Role.COMMITTEE))
    if tell.likely(0.5):
        voted, action = day + timedelta(days=chance.randint(5, 40)), chance.choice(tell.state.negotiated()).id
        entered = plan.RegisterInPdesc(action=action, reference=f"PDESC-{day.year}-{tell.number + 1:02}-{action}")
        tell.later(voted, lambda: _entered(tell, entered, voted))
    if tell.likely(0.4):
        on = day + timedelta(days=chance.randint(2, 60))
        tell.later(on, _say(tell, paper(tell), on, None), LATE)


def _entered(tell: Teller, command: plan.RegisterInPdesc, on: date) -> Steps:
    if command.action in {action.id for action in tell.state.negotiated()}:
        yield from tell.note(command, on, Role.MAYOR)


def training(tell: Teller) -> monitoring.HoldTraining:
    chance = tell.chance
    women, men = chance.randint(4, 18), chance.randint(3, 15)
    return monitoring.HoldTraining(
        topic=chance.choice(tell.words.trainings),
        days=chance.randint(1, 4),
        members=tuple(tell.members(Constituency.PROFESSIONAL_ORGANISATION)),
        women=women,
        men=men,
        youth=chance.randint(0, (women + men) // 2),
    )


def paper(tell: Teller) -> anytime.AttachDocument:
    chance, state = tell.chance, tell.state
    assert state.meeting is not None
    return anytime.AttachDocument(
        title=chance.choice(tell.words.papers),
        sha256=f"{chance.getrandbits(256):064x}",
        bytes=chance.randint(40_000, 900_000),
        media=chance.choice(("application/pdf", "image/jpeg")),
        about=state.meeting.id,
    )
