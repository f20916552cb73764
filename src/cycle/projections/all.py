"""Every projection by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cycle.projections.audit import audit_trail
from cycle.projections.base import Projection
from cycle.projections.frameworks import frameworks, members
from cycle.projections.meetings import attendance, calendar, meetings
from cycle.projections.obstacles import obstacles
from cycle.projections.places import communes, organisations
from cycle.projections.plans import actions, commitments, needs, plans
from cycle.projections.requests import requests
from cycle.projections.runs import action_run, meeting_run, need_run, promise_run, recording_run
from cycle.projections.spells import cycle_interval, obstacle_spell, policy_run, stage_visit

PROJECTIONS: Mapping[str, Projection[Any]] = {
    projection.name: projection
    for projection in (
        communes,
        organisations,
        frameworks,
        members,
        needs,
        meetings,
        attendance,
        plans,
        actions,
        commitments,
        obstacles,
        requests,
        calendar,
        stage_visit,
        cycle_interval,
        policy_run,
        obstacle_spell,
        action_run,
        promise_run,
        need_run,
        meeting_run,
        recording_run,
        audit_trail,
    )
}
