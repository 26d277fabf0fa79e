"""Who answers for a stage of the funnel, and how long a lead may stand there (R105)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core.names import clean_text
from funnel.models import Stage, StageRule
from staff import actions as staff
from staff.access import Actor


@transaction.atomic
def set_stage_rules(*, rules: Mapping[str, Mapping[str, Any]], by: Actor, now: datetime) -> None:
    """`rules`: stage -> role, limit_minutes (None: no limit), duty. Stages that are not named stay as they are."""
    for stage, said in rules.items():
        values = {
            "role": said["role"],
            "limit_minutes": said["limit_minutes"],
            "duty": clean_text(said["duty"])[:1000],
        }
        StageRule.objects.update_or_create(stage=Stage(stage), defaults=values)
    staff.record(by=by, deed="set_stage_rules", now=now, object_kind="stage_rule", fields=sorted(rules))
