"""Motivational consultations: filled in once a visit by the version of its day; what was said beside what was bought."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.clock import local_date
from funnel.actions import consultations as actions
from funnel.actions.consultations import Held, NoItems, NoReason, NotHeld
from funnel.models import Checklist, Consultation
from funnel.queries import consultations as asked
from funnel.views.ladder import live_scope
from patients.models import Patient, Payment, Visit
from staff.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
BY = make.actor()


@pytest.fixture
def as_role(client, settings):
    settings.REQUIRE_TOTP = False

    def log_in(role="owner", **fields):
        user = make.user(role, **fields)
        client.force_login(user)
        return client, user

    return log_in


def held(visit, outcome="core", ticked=(0, 2), reason="") -> Consultation:
    said = Held(asked.current_checklist(), ticked, outcome, reason)
    return actions.fill_consultation(visit=visit, held=said, by=BY, now=NOW)


def test_a_consultation_is_kept_once_a_visit_and_corrected():
    visit = make.visit(make.patient())
    first = held(visit, ticked=[2, 0, 2, 99])
    assert first.ticked == [0, 2]
    again = held(visit, "declined", [1], "дорого")
    assert (again.pk, again.outcome, again.reason, again.ticked) == (first.pk, "declined", "дорого", [1])
    assert held(visit, "tripwire", [1], "дорого").reason == ""
    assert AuditEntry.objects.filter(deed="fill_consultation", patient_id=visit.patient_id).count() == 3


def test_who_thinks_or_declines_said_why_and_who_did_not_come_had_no_consultation():
    for outcome in ("thinks", "declined"):
        with pytest.raises(NoReason):
            held(make.visit(make.patient()), outcome, reason=" ")
    with pytest.raises(NotHeld):
        held(make.visit(make.patient(), status="scheduled"))
    with pytest.raises(ValueError, match="perhaps"):
        held(make.visit(make.patient()), "perhaps")
    assert not Consultation.objects.exists()


@pytest.mark.parametrize("wrong", [{"outcome": "thinks"}, {"reason": "x"}])
def test_the_database_refuses_an_outcome_without_its_reason(wrong):
    one = held(make.visit(make.patient()))
    with pytest.raises(IntegrityError), transaction.atomic():
        Consultation.objects.filter(pk=one.pk).update(**wrong)


def test_a_new_version_leaves_what_was_filled_in_by_the_old_one():
    old, visit = asked.current_checklist(), make.visit(make.patient())
    one = held(visit)
    new = actions.publish_checklist(items=[old.labels()[1], " ", "своё", "своё"], by=BY, now=NOW)
    one.refresh_from_db()
    assert (one.checklist, asked.current_checklist()) == (old, new)
    assert new.items == [old.items[1], "своё"]
    with pytest.raises(NoItems):
        actions.publish_checklist(items=[" "], by=BY, now=NOW)


def random_house(seed: int) -> None:
    chance = random.Random(seed)
    doctors = [make.doctor() for _n in range(3)]
    services = [make.service(tier=tier) for tier in ("core", "tripwire", "lead_magnet", "maximizer")]
    records = [make.patient(is_test=n == 0) for n in range(10)]
    for n in range(3):
        records.append(make.patient(canonical=records[n], merged_into=records[n]))
    for _n in range(70):
        start = NOW - timedelta(days=chance.randrange(1, 260), hours=chance.randrange(0, 20))
        record = chance.choice(records)
        visit = make.visit(record, doctor=chance.choice(doctors), start=start, may_overlap=True)
        outcome = chance.choice(Consultation.Outcome.values)
        held(visit, outcome, reason="x" if outcome in Consultation.UNDECIDED else "")
        for _later in range(chance.randrange(0, 3)):
            status = chance.choice(["completed", "completed", "no_show"])
            later = start + chance.choice([timedelta(minutes=30), DAY, 90 * DAY, 91 * DAY, -DAY])
            if later < NOW:
                sold = make.visit(
                    chance.choice(records), doctor=doctors[0], start=later, status=status, may_overlap=True
                )
                make.item(sold, service=chance.choice(services))
                if chance.random() < 0.7:
                    paid = make.payment(sold.patient, 1000, visit=sold, at=later)
                    if chance.random() < 0.3:
                        make.payment(sold.patient, 1000, refund_of=paid, at=later)


def recounted(window) -> list[dict]:
    """Straight from the definition, a consultation at a time."""
    root = {p.pk: p.canonical_id or p.pk for p in Patient.objects.all()}
    testers = {root[p.pk] for p in Patient.objects.filter(is_test=True)}
    paid: dict[int, int] = {}
    for one in Payment.objects.select_related("refund_of"):
        visit = one.refund_of.visit_id if one.refund_of else one.visit_id
        paid[visit] = paid.get(visit, 0) + (-one.amount if one.refund_of else one.amount)
    sales = [
        v for v in Visit.objects.filter(status="completed").prefetch_related("items__service")
        if any(i.service.tier in ("core", "tripwire") for i in v.items.all()) and paid.get(v.pk, 0) > 0
    ]  # fmt: skip
    rows = []
    for one in Consultation.objects.select_related("visit"):
        visit = one.visit
        person = root[visit.patient_id]
        if person in testers or not window.first <= visit.day <= window.last:
            continue
        bought = any(
            root[v.patient_id] == person
            and v.start_at > visit.start_at
            and (v.day - visit.day).days <= 90
            for v in sales
        )  # fmt: skip
        rows.append({"id": one.pk, "doctor": visit.doctor_id, "outcome": one.outcome, "bought": bought})
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_equals_its_recount_and_opens_as_many_people(seed):
    random_house(seed)
    scope = live_scope(BY)
    window = asked.ripe_window(scope.as_of, 365)
    rows = recounted(window)
    lines, after = [], 0
    while True:
        page, more = asked.by_doctor(scope, BY, window, after, 2)
        lines += page
        if not more:
            break
        after = page[-1].doctor.pk
    assert [line.doctor.pk for line in lines] == sorted({row["doctor"] for row in rows})
    everybody = asked.whole(scope, BY, window)
    assert sum(line.held for line in lines) == everybody.held == len(rows) > 9
    assert sum(line.bought for line in lines) == everybody.bought == sum(row["bought"] for row in rows) > 0
    for line in lines:
        mine = [row for row in rows if row["doctor"] == line.doctor.pk]
        said = {name: getattr(line, name) for name in ("held", "bought", *Consultation.Outcome.values)}
        assert said == {"held": len(mine), "bought": sum(row["bought"] for row in mine)} | {
            name: sum(row["outcome"] == name for row in mine) for name in Consultation.Outcome.values
        }
        for name in ("bought", "said"):
            people, _more = asked.people(scope, BY, window, {"doctor": line.doctor.pk, name: 1}, 0, 999)
            wanted = {
                r["id"] for r in mine if (r["bought"] if name == "bought" else r["outcome"] in ("core", "tripwire"))
            }
            assert {row["id"] for row in people} == wanted
    later = asked.Window(window.last + DAY, scope.as_of)
    assert asked.young(scope, BY, window) == len(recounted(later)) > 0


def test_the_visit_of_the_consultation_itself_is_no_conversion():
    visit = make.visit(make.patient(), start=NOW - 100 * DAY)
    make.item(visit, service=make.service(tier="core"))
    make.payment(visit.patient, 5000, visit=visit, at=NOW - 100 * DAY)
    held(visit)
    scope = live_scope(BY)
    line = asked.whole(scope, BY, asked.ripe_window(scope.as_of, 90))
    assert (line.held, line.said, line.bought) == (1, 1, 0)


def test_a_consultation_counts_when_its_whole_90_days_are_over():
    scope = live_scope(BY)
    window = asked.ripe_window(local_date(NOW, "Europe/Moscow"), 90)
    assert (scope.as_of - window.last).days == 91
    for days, counted in ((91, 1), (90, 0)):
        Consultation.objects.all().delete()
        visit = make.visit(make.patient(), start=NOW - days * DAY)
        held(visit)
        assert (asked.whole(scope, BY, window).held, asked.young(scope, BY, window)) == (counted, 1 - counted)


def test_no_share_is_shown_of_fewer_than_thirty(as_role):
    client, _user = as_role("manager")
    doctor, patient = make.doctor(), make.patient()
    texts = []
    for number in (29, 1):
        for n in range(number):
            start = NOW - 100 * DAY - timedelta(hours=n + number)
            held(make.visit(patient, doctor=doctor, start=start, may_overlap=True))
        answer = client.get(reverse("funnel:consultations"), headers={"accept-language": "en"})
        texts.append(answer.content.decode())
    assert "little data" in texts[0] and "little data" not in texts[1]
    assert "100" in texts[1]


def test_the_doctor_fills_it_in_from_the_card(as_role):
    client, _user = as_role("doctor")
    visit = make.visit(make.patient(), status="arrived")
    of = reverse("funnel:consultations_of", args=[visit.patient_id])
    page = reverse("funnel:consultation", args=[visit.pk])
    assert of in client.get(reverse("reception:card", args=[visit.patient_id])).content.decode()
    assert page in client.get(of).content.decode()
    version = asked.current_checklist()
    text = client.get(page).content.decode()
    assert text.count('name="ticked"') == len(version.items) and f'value="{version.pk}"' in text
    actions.publish_checklist(items=["новое"], by=BY, now=NOW)
    form = {"checklist": version.pk, "ticked": ["0", "3"], "outcome": "declined"}
    assert client.post(page, form).status_code == 422
    assert client.post(page, form | {"reason": "дорого"}).status_code == 303
    one = Consultation.objects.get()
    assert (one.visit, one.checklist, one.ticked, one.reason) == (visit, version, [0, 3], "дорого")
    again = client.get(page).content.decode()
    assert again.count('name="ticked"') == len(version.items) and again.count("checked") == 2
    assert "дорого" in client.get(of).content.decode()
    waiting = make.visit(visit.patient, status="scheduled", start=NOW + DAY)
    form = {"checklist": asked.current_checklist().pk, "outcome": "core"}
    assert client.post(reverse("funnel:consultation", args=[waiting.pk]), form).status_code == 422


def test_an_administrator_has_no_such_link_and_no_such_door(as_role):
    client, _user = as_role("administrator")
    visit = make.visit(make.patient())
    of = reverse("funnel:consultations_of", args=[visit.patient_id])
    assert of not in client.get(reverse("reception:card", args=[visit.patient_id])).content.decode()
    assert client.get(of).status_code == 403


def test_who_is_bound_to_a_branch_sees_the_consultations_held_there(as_role):
    mine, other = make.branch(), make.branch()
    here, there = (make.visit(make.patient(branch=one), start=NOW - 100 * DAY) for one in (mine, other))
    for visit in (here, there):
        held(visit)
    client, _user = as_role("manager", branch=mine)
    for name in ("consultations", "consultation_people"):
        text = client.get(reverse(f"funnel:{name}")).content.decode()
        shown = (here, there) if name == "consultations" else (here.patient, there.patient)
        words = [one.doctor.name if isinstance(one, Visit) else one.full_name for one in shown]
        assert words[0] in text and words[1] not in text
    assert client.get(reverse("funnel:consultation", args=[there.pk])).status_code == 404
    assert client.get(reverse("funnel:checklist")).status_code == 403


def test_the_algorithm_is_changed_on_its_page(as_role):
    client, _user = as_role("owner")
    page = reverse("funnel:checklist")
    assert asked.current_checklist().labels()[0] in client.get(page).content.decode()
    assert client.post(page, {"items": " "}).status_code == 422
    assert client.post(page, {"items": "раз\nдва\n"}).status_code == 303
    assert asked.current_checklist().items == ["раз", "два"] and Checklist.objects.count() == 2


@pytest.mark.parametrize("name", ["consultations", "consultation_people", "consultations_of"])
def test_twenty_consultations_cost_as_many_queries_as_one(as_role, name):
    client, _user = as_role()
    patient = make.patient()
    url = reverse(f"funnel:{name}", args=[patient.pk] if name == "consultations_of" else [])
    counts, made = [], 0
    for number in (1, 19):
        for _n in range(number):
            made += 1
            held(make.visit(patient, start=NOW - 100 * DAY - timedelta(hours=made)))
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
