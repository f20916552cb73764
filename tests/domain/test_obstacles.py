"""Obstacles: identified, communicated, solved, accepted, carried over, reopened."""

from __future__ import annotations

from datetime import date

import pytest

from cycle.aggregates.base import Command
from cycle.aggregates.framework.adjustment import CarryOverObstacle, NextMeeting, ReopenNeeds
from cycle.aggregates.framework.obstacles import (
    AcceptObstacle,
    AgreeSolution,
    CommunicateObstacle,
    ObstacleAccepted,
    ObstacleCarriedOver,
    ObstacleCommunicated,
    ObstacleIdentified,
    ObstacleReopened,
    ObstacleResolved,
    ObstacleSolutionAgreed,
    RaiseObstacle,
    ReopenObstacle,
    ResolveObstacle,
)
from cycle.aggregates.framework.proposals import ActionProposed, ProposeAction
from cycle.aggregates.framework.state import ObstacleStage
from tests.domain.dioro import A1, A9, FISH, MAIRIE, NOBODY, O1, O9, RICE, monitored, planned, settled
from tests.domain.story import Story

RAISE = RaiseObstacle(description="Pièce introuvable", severity=2, action=A1)
TELL = CommunicateObstacle(obstacle=O1, members=(RICE, MAIRIE), channel="radio")
SOLVE = AgreeSolution(obstacle=O1, solution="Commander à Ségou", responsible=FISH, due_on=date(2026, 4, 1))
END = ResolveObstacle(obstacle=O1, how="Livrée")


def raised() -> Story:
    return monitored().given(RAISE)


def stage(told: Story) -> ObstacleStage:
    return told.state.obstacles[O1].stage


def test_an_obstacle_goes_its_way() -> None:
    told = monitored().when(RAISE).then(ObstacleIdentified, obstacle=O1, cycle=1, severity=2, action=A1)
    told.when(TELL).then(ObstacleCommunicated, members=(RICE, MAIRIE))
    assert stage(told) is ObstacleStage.COMMUNICATED
    told.when(SOLVE).then(ObstacleSolutionAgreed, responsible=FISH)
    assert stage(told) is ObstacleStage.SOLUTION_AGREED
    told.when(END).then(ObstacleResolved)
    assert stage(told) is ObstacleStage.RESOLVED


def test_an_obstacle_may_be_raised_as_soon_as_there_is_a_plan() -> None:
    planned().when(RAISE).then(ObstacleIdentified)


def test_telling_more_people_does_not_take_the_solution_away() -> None:
    assert stage(raised().given(TELL, SOLVE, TELL)) is ObstacleStage.SOLUTION_AGREED


def test_people_may_decide_to_live_with_an_obstacle() -> None:
    told = raised().when(AcceptObstacle(obstacle=O1, reason="Hors de portée")).then(ObstacleAccepted)
    assert stage(told) is ObstacleStage.ACCEPTED


@pytest.mark.parametrize("end", [END, AcceptObstacle(obstacle=O1, reason="Hors de portée")], ids=lambda c: c.type)
def test_an_obstacle_that_comes_back_is_reopened(end: Command) -> None:
    told = raised().given(TELL, end).when(ReopenObstacle(obstacle=O1, reason="Elle recasse"))
    told.then(ObstacleReopened, cycle=1)
    assert stage(told) is ObstacleStage.IDENTIFIED


@pytest.mark.parametrize("begin", [NextMeeting(), ReopenNeeds(reason="Nouveaux besoins")], ids=lambda c: c.type)
def test_a_carried_obstacle_goes_on_from_where_it_was(begin: Command) -> None:
    told = settled().given(RAISE, TELL).when(CarryOverObstacle(obstacle=O1, reason="Toujours là"))
    told.then(ObstacleCarriedOver, cycle=1)
    assert stage(told) is ObstacleStage.CARRIED_OVER
    told.given(begin)
    assert stage(told) is ObstacleStage.COMMUNICATED
    assert told.state.obstacles[O1].cycle == 2


def test_a_reopened_obstacle_that_is_carried_over_begins_anew() -> None:
    told = settled().given(RAISE, TELL, END, ReopenObstacle(obstacle=O1, reason="Encore"))
    told.given(CarryOverObstacle(obstacle=O1), NextMeeting())
    assert stage(told) is ObstacleStage.IDENTIFIED


def test_an_action_of_the_next_plan_answers_a_carried_obstacle() -> None:
    told = settled().given(RAISE, CarryOverObstacle(obstacle=O1), NextMeeting())
    told.when(ProposeAction(description="Chercher la pièce", obstacles=(O1,))).then(ActionProposed, obstacles=(O1,))


def test_what_was_settled_leaves_with_its_cycle() -> None:
    told = settled().given(RAISE, END, NextMeeting())
    assert not told.state.obstacles
    told.when(ProposeAction(description="?", obstacles=(O1,))).refused("unknown-obstacle")


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (RaiseObstacle(description="?", severity=1, action=A9), ["unknown-action"]),
        (CommunicateObstacle(obstacle=O9, members=(RICE,)), ["unknown-obstacle"]),
        (CommunicateObstacle(obstacle=O1, members=()), ["nobody-named"]),
        (CommunicateObstacle(obstacle=O1, members=(RICE, RICE)), ["named-twice"]),
        (CommunicateObstacle(obstacle=O9, members=(NOBODY,)), ["unknown-obstacle", "unknown-member"]),
        (AgreeSolution(obstacle=O9, solution="?", responsible=RICE), ["unknown-obstacle"]),
        (AgreeSolution(obstacle=O1, solution="?", responsible=NOBODY), ["unknown-member"]),
        (AgreeSolution(obstacle=O1, solution="?", responsible=RICE, due_on=date(2026, 1, 1)), ["not-a-day-to-plan"]),
        (ResolveObstacle(obstacle=O9, how="?"), ["unknown-obstacle"]),
        (AcceptObstacle(obstacle=O9, reason="?"), ["unknown-obstacle"]),
        (ReopenObstacle(obstacle=O1, reason="?"), ["no-closed-obstacle"]),
    ],
)
def test_what_is_said_of_an_obstacle_must_make_sense(command: Command, codes: list[str]) -> None:
    raised().when(command).refused(*codes)


def test_an_open_obstacle_is_not_reopened() -> None:
    told = raised().given(RAISE, END)
    told.when(ReopenObstacle(obstacle="O-2", reason="?")).refused("obstacle-not-closed")


@pytest.mark.parametrize("command", [TELL, SOLVE, END, AcceptObstacle(obstacle=O1, reason="?")], ids=lambda c: c.type)
def test_without_an_open_obstacle_there_is_nothing_to_solve(command: Command) -> None:
    monitored().when(command).refused("no-open-obstacle")
