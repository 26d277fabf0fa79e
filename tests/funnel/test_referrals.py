"""Referrals inside the clinic: made once, reminded of once, closed by a booking; every figure recounted in Python."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.clock import local_date
from funnel.actions import referrals as actions
from funnel.actions.referrals import NotAColleague, NotOpen, Target
from funnel.models import InternalReferral
from funnel.queries import referrals as asked
from funnel.views.ladder import live_scope
from patients.models import Patient, Payment, Visit, WorkItem
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


def sent(patient=None, sender=None, to=None, *, at=NOW, **fields) -> InternalReferral:
    """`to`: a doctor, or the name of a speciality."""
    target = Target(speciality=to) if isinstance(to, str) else Target(doctor=to or make.doctor())
    return actions.refer_patient(
        patient=patient or make.patient(), from_doctor=sender or make.doctor(), to=target, by=BY, now=at, **fields
    )


def booked(patient, doctor, at, *, start=None, **fields) -> Visit:
    start = start or at + DAY
    return make.visit(patient, doctor=doctor, booked_at=at, start=start, **({"status": "scheduled"} | fields))


def test_the_same_referral_is_made_once_while_it_is_open():
    patient, sender, colleague = make.patient(), make.doctor(), make.doctor()
    first = sent(patient, sender, colleague, reason="боль")
    assert sent(patient, sender, colleague) == first
    assert sent(patient, sender, "терапия") != first
    actions.close_referral(referral=first, why="declined", by=BY, now=NOW)
    again = sent(patient, sender, colleague)
    assert again != first and InternalReferral.objects.count() == 3
    with pytest.raises(NotOpen):
        actions.close_referral(referral=first, why="declined", by=BY, now=NOW)
    with pytest.raises(ValueError, match="booked"):
        actions.close_referral(referral=again, why="booked", by=BY, now=NOW)
    deeds = AuditEntry.objects.filter(object_kind="internal_referral").values_list("deed", flat=True)
    assert sorted(deeds) == ["close_referral", "refer_patient", "refer_patient", "refer_patient"]


def test_a_record_that_was_merged_away_has_the_open_referral_of_its_person():
    patient, sender, colleague = make.patient(), make.doctor(), make.doctor()
    twin = make.patient(canonical=patient, merged_into=patient)
    assert sent(twin, sender, colleague) == sent(patient, sender, colleague)


def test_a_referral_goes_to_a_colleague_or_to_a_speciality():
    doctor = make.doctor()
    for wrong in (Target(), Target(doctor, "терапия"), Target(doctor)):
        with pytest.raises(NotAColleague):
            actions.refer_patient(patient=make.patient(), from_doctor=doctor, to=wrong, by=BY, now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"to_speciality": "терапия"},
        {"to_doctor": None},
        {"closed_at": NOW},
        {"closed_why": "booked"},
    ],
)
def test_the_database_refuses_a_referral_that_cannot_be(wrong):
    one = sent()
    with pytest.raises(IntegrityError), transaction.atomic():
        InternalReferral.objects.filter(pk=one.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        InternalReferral.objects.filter(pk=one.pk).update(to_doctor=one.from_doctor_id)


def test_two_open_rows_of_one_referral_cannot_be():
    one = sent()
    with pytest.raises(IntegrityError), transaction.atomic():
        InternalReferral.objects.create(
            patient=one.patient, branch=one.branch, from_doctor=one.from_doctor, to_doctor=one.to_doctor, made_at=NOW
        )


def test_two_days_without_a_booking_give_the_reception_one_piece_of_work_and_a_booking_ends_it():
    late, fresh = sent(at=NOW - 2 * DAY), sent(at=NOW - 2 * DAY + timedelta(seconds=1))
    twin = make.patient()
    answered = sent(at=NOW - 3 * DAY)
    Patient.objects.filter(pk=twin.pk).update(canonical=answered.patient, merged_into=answered.patient)
    booked(twin, answered.to_doctor, NOW - DAY, start=NOW + DAY)
    cancelled = sent(at=NOW - 3 * DAY)
    booked(
        cancelled.patient, cancelled.to_doctor, NOW - DAY, start=NOW + DAY, status="cancelled_patient", cancelled_at=NOW
    )
    tester, gone = sent(make.patient(is_test=True), at=NOW - 3 * DAY), sent(at=NOW - 3 * DAY)
    Patient.objects.filter(pk=gone.patient_id).update(natural_churn_reason="died")
    old = sent(at=NOW - 90 * DAY)
    assert [actions.look_after_referrals(now=NOW) for _again in range(2)] == [2, 0]
    work = WorkItem.objects.filter(kind="referral").order_by("dedupe_key")
    assert {(one.patient_id, one.branch_id, one.dedupe_key) for one in work} == {
        (one.patient_id, one.branch_id, f"referral:{one.pk}") for one in (late, cancelled)
    }
    why = dict(InternalReferral.objects.values_list("pk", "closed_why"))
    assert (why[answered.pk], why[old.pk]) == ("booked", "expired")
    assert {why[one.pk] for one in (late, fresh, cancelled, tester, gone)} == {""}
    booked(late.patient, late.to_doctor, NOW + timedelta(hours=1), start=NOW + DAY)
    assert actions.look_after_referrals(now=NOW + timedelta(hours=2)) == 1  # that of `fresh`: its two days are over
    item = WorkItem.objects.get(dedupe_key=f"referral:{late.pk}")
    assert (item.status, item.outcome, item.closed_at) == ("done", "booked", NOW + timedelta(hours=2))
    assert WorkItem.objects.get(dedupe_key=f"referral:{cancelled.pk}").status == "open"
    actions.close_referral(referral=cancelled, why="declined", by=BY, now=NOW)
    assert WorkItem.objects.get(dedupe_key=f"referral:{cancelled.pk}").status == "dropped"


def test_who_did_not_book_in_his_90_days_is_called_no_more():
    one = sent(at=NOW - 10 * DAY)
    actions.look_after_referrals(now=NOW)
    actions.look_after_referrals(now=NOW + 80 * DAY)
    one.refresh_from_db()
    item = WorkItem.objects.get(dedupe_key=f"referral:{one.pk}")
    assert (one.closed_why, item.status, item.outcome) == ("expired", "done", "expired")


def test_reminding_takes_as_many_statements_for_twenty_as_for_one():
    counts = []
    for number in (1, 19):
        for _one in range(number):
            sent(at=NOW - 3 * DAY)
        with CaptureQueriesContext(connection) as seen:
            actions.look_after_referrals(now=NOW)
        counts.append(len(seen))
    assert counts[0] == counts[1] and WorkItem.objects.count() == 20


def test_the_task_of_every_minute_reminds():
    from funnel.tasks import remind_of_referrals

    sent(at=NOW - 3 * DAY)
    remind_of_referrals()
    assert WorkItem.objects.filter(kind="referral").count() == 1


def random_house(seed: int) -> None:
    """Two records of some people, test people, referrals that overlap, bookings round every edge, refunds."""
    chance = random.Random(seed)
    doctors = [make.doctor(speciality=name) for name in ("терапия", "терапия", "хирургия", "ЭКО'{x}")]
    records = [make.patient(is_test=n == 0) for n in range(8)]
    for n in range(3):
        records.append(make.patient(canonical=records[n], merged_into=records[n]))
    visits = []
    for _n in range(60):
        made = NOW - timedelta(days=chance.randrange(0, 150), minutes=chance.randrange(0, 3))
        sender = chance.choice(doctors)
        others = [one for one in doctors if one != sender]
        target = chance.choice([*others, *(one.speciality for one in doctors)])
        referral = sent(chance.choice(records), sender, target, at=made)
        InternalReferral.objects.filter(pk=referral.pk).update(closed_at=NOW, closed_why="declined")
        for _visit in range(chance.randrange(0, 3)):
            edge = chance.choice([timedelta(0), -timedelta(seconds=1), 90 * DAY, 90 * DAY - timedelta(seconds=1), DAY])
            at = min(made + edge, NOW)
            status = chance.choice(["completed", "completed", "scheduled", "no_show", "cancelled_patient"])
            cancelled = {"cancelled_at": at} if status == "cancelled_patient" else {}
            visits.append(
                booked(
                    chance.choice(records), chance.choice(doctors), at, start=at + chance.choice([DAY, 30 * DAY]),
                    status=status, may_overlap=True, **cancelled,
                )
            )  # fmt: skip
    for visit in visits:
        if chance.random() < 0.7:
            paid = make.payment(visit.patient, chance.randrange(1000, 9000), visit=visit, at=visit.booked_at)
            if chance.random() < 0.3:
                make.payment(visit.patient, 500, refund_of=paid, at=visit.booked_at)


def recounted(first) -> list[dict]:
    """Straight from the definition, a referral at a time."""
    root = {p.pk: p.canonical_id or p.pk for p in Patient.objects.all()}
    testers = {root[p.pk] for p in Patient.objects.filter(is_test=True)}
    end = live_scope(BY).t_end
    visits = list(Visit.objects.select_related("doctor"))
    paid: dict[int, int] = {}
    for one in Payment.objects.select_related("refund_of"):
        visit = one.refund_of.visit_id if one.refund_of else one.visit_id
        paid[visit] = paid.get(visit, 0) + (-one.amount if one.refund_of else one.amount)
    rows, claimed = [], set()
    for one in InternalReferral.objects.order_by("made_at", "id"):
        answers = [
            v for v in visits
            if root[v.patient_id] == root[one.patient_id]
            and timedelta(0) <= v.booked_at - one.made_at < 90 * DAY
            and (v.doctor_id == one.to_doctor_id if one.to_doctor_id else
                 v.doctor.speciality == one.to_speciality and v.doctor_id != one.from_doctor_id)
        ]  # fmt: skip
        came = [v for v in answers if v.status == "completed" and v.start_at < end]
        visit = min(came, key=lambda v: (v.start_at, v.pk), default=None)
        money = paid.get(visit.pk, 0) if visit and visit.pk not in claimed else 0
        if visit:
            claimed.add(visit.pk)
        if root[one.patient_id] in testers or local_date(one.made_at, "Europe/Moscow") < first:
            continue
        waiting = not answers and one.made_at >= end - 90 * DAY
        rows.append(
            {"id": one.pk, "pair": (one.from_doctor_id, one.to_doctor_id or 0, one.to_speciality),
             "booked": bool(answers), "came": bool(visit), "waiting": waiting, "revenue": money}
        )  # fmt: skip
    return rows


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("days", [30, 90, 365])
def test_every_figure_equals_its_recount_and_opens_as_many_people(seed, days):
    random_house(seed)
    scope = live_scope(BY)
    first = scope.as_of - timedelta(days=days - 1)
    rows = recounted(first)
    names = ("booked", "came", "waiting", "revenue")
    total = asked.totals(scope, BY, first)
    assert total == {"made": len(rows)} | {name: sum(row[name] for row in rows) for name in names}
    lines, after = [], None
    while True:
        page, more = asked.pairs(scope, BY, first, after, 3)
        lines += page
        if not more:
            break
        after = page[-1].key
    found = {line.key: [line.made, *(getattr(line, name) for name in names)] for line in lines}
    wanted: dict = {}
    for row in rows:
        said = wanted.setdefault(row["pair"], [0] * 5)
        for place, value in enumerate([1, *(row[name] for name in names)]):
            said[place] += value
    assert found == wanted and len(lines) == len(wanted)
    if days == 365:
        assert total["came"] and total["revenue"] and total["booked"] > total["came"]
    for line in lines:
        where = dict(zip(asked.PAIR, line.key, strict=True))
        for which in ("booked", "came", "waiting"):
            people, _more = asked.people(scope, BY, first, where | {which: 1}, 0, 999)
            assert {row["id"] for row in people} == {r["id"] for r in rows if r["pair"] == line.key and r[which]}
            if which == "came":
                assert sum(row["revenue"] for row in people) == line.revenue


def test_a_visit_pays_for_the_earliest_of_two_referrals_alone():
    patient, colleague = make.patient(), make.doctor(speciality="ЭКО")
    early, late = sent(patient, to="ЭКО", at=NOW - 9 * DAY), sent(patient, to=colleague, at=NOW - 8 * DAY)
    visit = booked(patient, colleague, NOW - 7 * DAY, start=NOW - 6 * DAY, status="completed")
    make.payment(patient, 7000, visit=visit, at=NOW - 6 * DAY)
    scope = live_scope(BY)
    rows, _more = asked.people(scope, BY, scope.as_of - 29 * DAY, {}, 0, 9)
    assert {row["id"]: (row["came"], row["revenue"]) for row in rows} == {early.pk: (1, 7000), late.pk: (1, 0)}
    # The earlier one was made before the days looked at: its money is not given to the later one.
    first = local_date(NOW - 8 * DAY, "Europe/Moscow")
    assert asked.totals(scope, BY, first)["revenue"] == 0


def test_a_page_of_people_goes_on_by_its_key():
    made = [sent().pk for _n in range(5)]
    scope = live_scope(BY)
    first, seen, after = scope.as_of - DAY, [], 0
    while after is not None:
        rows, after = asked.people(scope, BY, first, {}, after, 2)
        seen += [row["id"] for row in rows]
    assert seen == made[::-1]


def test_a_doctor_refers_from_the_card_and_the_reception_says_it_off(as_role):
    me, colleague, patient = make.doctor(), make.doctor(), make.patient()
    visit = make.visit(patient, doctor=me, start=NOW, status="arrived")
    client, _user = as_role("doctor", doctor=me)
    page = reverse("funnel:refer", args=[patient.pk])
    assert page in client.get(reverse("reception:card", args=[patient.pk])).content.decode()
    assert client.post(page, {"to_doctor": colleague.pk, "to_speciality": "терапия", "reason": "x"}).status_code == 422
    assert client.post(page, {"to_doctor": me.pk, "reason": "x"}).status_code == 422
    assert client.post(page, {"to_doctor": colleague.pk}).status_code == 422
    assert client.post(page, {"to_doctor": colleague.pk, "reason": "тахикардия"}).status_code == 303
    one = InternalReferral.objects.get()
    assert (one.from_doctor, one.to_doctor, one.reason, one.branch) == (me, colleague, "тахикардия", patient.branch)
    assert one.visit == visit
    assert "тахикардия" in client.get(page).content.decode()
    client, _user = as_role("administrator")
    text = client.get(page).content.decode()
    assert colleague.name in text and "тахикардия" not in text
    close = reverse("funnel:refer_close", args=[patient.pk])
    other = reverse("funnel:refer_close", args=[make.patient().pk])
    assert client.post(other, {"referral": one.pk, "why": "declined"}).status_code == 404
    assert client.post(close, {"referral": one.pk, "why": "booked"}).status_code == 303
    assert InternalReferral.objects.get().closed_at is None
    assert client.post(close, {"referral": one.pk, "why": "declined"}).status_code == 303
    assert InternalReferral.objects.get().closed_why == "declined"
    opened = AuditEntry.objects.filter(deed="see_card", patient_id=patient.pk).values_list("fields", flat=True)
    assert ["reason", "referrals"] in opened and ["referrals"] in opened


def test_the_page_shows_pairs_and_opens_their_people(as_role):
    patient, sender, colleague = make.patient(), make.doctor(), make.doctor()
    sent(patient, sender, colleague, at=NOW - 3 * DAY, reason="тахикардия")
    visit = booked(patient, colleague, NOW - 2 * DAY, start=NOW - DAY, status="completed")
    make.payment(patient, 123400, visit=visit, at=NOW - DAY)
    client, _user = as_role("manager")
    text = client.get(reverse("funnel:referrals")).content.decode()
    assert sender.name in text and colleague.name in text and "1\u00a0234" in text.replace("&nbsp;", "\u00a0")
    links = {
        part.split('"')[0].replace("&amp;", "&") for part in text.split('href="') if part.startswith("/referrals/p")
    }
    assert len(links) == 7
    pages = {url: client.get(url) for url in links}
    assert {page.status_code for page in pages.values()} == {200}
    shown = [url for url, page in pages.items() if patient.full_name in page.content.decode()]
    assert {url.split("which=")[1].split("&")[0] for url in shown} == {"made", "booked", "came"}
    assert "тахикардия" in pages[shown[0]].content.decode()
    assert AuditEntry.objects.filter(deed="see_referrals").count() == 7


def test_who_is_bound_to_a_branch_sees_the_referrals_made_there(as_role):
    mine, other = make.branch(), make.branch()
    here, there = sent(make.patient(branch=mine)), sent(make.patient(branch=other))
    client, _user = as_role("manager", branch=mine)
    text = client.get(reverse("funnel:referral_people")).content.decode()
    assert here.from_doctor.name in text and there.from_doctor.name not in text
    assert there.from_doctor.name not in client.get(reverse("funnel:referrals")).content.decode()
    assert client.get(reverse("funnel:refer", args=[there.patient_id])).status_code == 404


@pytest.mark.parametrize("name", ["referrals", "referral_people", "refer"])
def test_twenty_referrals_cost_as_many_queries_as_one(as_role, name):
    client, _user = as_role()
    patient = make.patient()
    url = reverse(f"funnel:{name}", args=[patient.pk] if name == "refer" else [])
    counts = []
    for number in (1, 19):
        for _n in range(number):
            sent(patient, at=NOW - DAY)
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
