from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext

from patients import actions
from patients.models import Consent, Patient, PatientPhone, PatientTag, Visit
from staff import actions as ground
from staff.access import SYSTEM
from staff.models import AuditEntry, Branch, Change, Source
from tests import make
from tests.patients.intake import NOW, mis, patients, payment, run, visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return mis()


def test_a_consent_line_cannot_say_something_else_later(source):
    patients(source, "P1")
    line = {
        "external_id": "L1",
        "patient_id": "P1",
        "purpose": "marketing",
        "given": True,
        "at": "2026-02-01T10:00:00Z",
        "how": "paper",
    }
    assert [r.status for r in run(actions.record_consents, source, line)] == ["created"]
    assert [r.status for r in run(actions.record_consents, source, line)] == ["unchanged"]
    (other,) = run(actions.record_consents, source, line | {"given": False})
    assert other.errors.keys() == {"given"} and Consent.objects.get().given


def test_touchpoints_stand_by_patient_and_visit(source):
    patients(source, "P1")
    run(actions.record_visits, source, visit("V1"))
    row = {"external_id": "T1", "patient_id": "P1", "visit_id": "V1", "at": "2026-02-03T12:00:00Z", "kind": "call"}
    assert [r.status for r in run(actions.record_touchpoints, source, row)] == ["created"]


def test_the_number_of_queries_does_not_grow_with_the_rows(source):
    def batch(start: int, count: int) -> list[dict[str, Any]]:
        return [
            visit(
                f"V{n}",
                items=[{"external_id": f"I{n}", "service_id": "S1"}],
                payments=[payment(f"Y{n}"), payment(f"R{n}", kind="refund", refund_of=f"Y{n}")],
            )
            for n in range(start, start + count)
        ]

    patients(source, "P1")
    run(actions.record_visits, source, *batch(0, 1))
    counts = []
    for start, count in ((10, 1), (20, 50)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run(actions.record_visits, source, *batch(start, count))
        counts.append(len(queries))
    assert counts[0] == counts[1] < 40


def test_one_audit_entry_a_batch_and_feed_lines_only_for_what_changed(source):
    patients(source, "P1", "P2")
    lines, entries = Change.objects.count(), AuditEntry.objects.count()
    run(actions.record_patients, source, {"external_id": "P1"}, {"external_id": "P2", "note": "x"}, {"external_id": ""})
    assert (Change.objects.count(), AuditEntry.objects.count()) == (lines + 1, entries + 1)
    entry = AuditEntry.objects.latest("id")
    assert (entry.deed, entry.patient_id, entry.fields) == (
        "record_patients",
        Patient.objects.get(external_id="P2").pk,
        ["note"],
    )


def test_a_key_bound_to_a_branch_reaches_nothing_of_another(source):
    ground.record_branches(
        source=source,
        rows=[{"external_id": b, "name": b, "tz": "Europe/Moscow"} for b in ("B1", "B2")],
        by=SYSTEM,
        now=NOW,
    )
    b1, b2 = (Branch.objects.get(external_id=code) for code in ("B1", "B2"))
    bound = make.actor("integration", branch_id=b1.pk, kind="key", id=1)
    run(actions.record_patients, source, {"external_id": "P2", "branch_id": "B2"})
    run(actions.record_patients, source, {"external_id": "P1"}, by=bound)
    assert Patient.objects.get(external_id="P1").branch == b1
    assert run(actions.record_patients, source, {"external_id": "P2", "note": "x"}, by=bound)[0].status == "failed"
    assert (
        run(actions.record_patients, source, {"external_id": "P3", "branch_id": "B2"}, by=bound)[0].status == "failed"
    )
    (foreign,) = run(actions.record_visits, source, visit("V1", patient_id="P2"), by=bound)
    assert foreign.errors == {"patient_id": [gettext("%(id)s is not known") % {"id": "P2"}]}
    inner = {k: v for k, v in visit("V1").items() if k != "patient_id"}
    p2 = Patient.objects.get(external_id="P2").pk
    assert run(actions.record_visits, source, inner | {"patient": p2}, by=bound)[0].errors.keys() == {"patient"}
    assert run(actions.record_visits, source, visit("V1"), by=bound)[0].status == "created"
    assert Visit.objects.get().branch == b1 and b2.visits.count() == 0


def test_phones_and_tags_of_others_stay(source):
    run(actions.record_patients, source, {"external_id": "P1", "phones": "89123456789", "tags": "a;b"})
    run(actions.record_patients, source, {"external_id": "P2", "phones": "89123456789", "tags": "a"})
    run(actions.record_patients, source, {"external_id": "P1", "phones": [], "tags": []})
    assert (PatientPhone.objects.count(), PatientTag.objects.count()) == (1, 1)
