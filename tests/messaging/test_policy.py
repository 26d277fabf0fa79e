"""The contact policy: each of its reasons by real rows, asked at the claim and once more right before the call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from messaging import actions
from messaging.models import Message, Suppression, TransportSetting
from messaging.queries.policy import may_contact, may_contact_each
from patients.actions import withdraw
from patients.models import Consent, Touchpoint
from tests import make
from tests.messaging.outbox import NOON, approval, queued

pytestmark = pytest.mark.django_db
H, DAY = timedelta(hours=1), timedelta(days=1)
PHONE = "+79161112233"


def agrees(patient=None, *, at=NOON - DAY, purpose="marketing", transport="", **fields):
    """A patient with a proven consent to advertising."""
    patient = patient or make.patient(phone=PHONE)
    Consent.objects.create(
        **{"patient": patient, "purpose": purpose, "transport": transport, "given": True, "at": at, "how": "paper"}
        | {"evidence": "№ 7"}
        | fields
    )
    return patient


def advert(patient=None, **fields) -> Message:
    return queued(
        patient or agrees(),
        **{"purpose": "marketing", "priority": 40, "approval": approval(), "expires_at": NOON + 30 * DAY} | fields,
    )


def go(now=NOON, transport="sms") -> int:
    """Claim and mark everything that is due; returns how many letters would be handed over."""
    ids = actions.claim(transport=transport, owner="me", size=1000, now=now)
    return len(actions.mark_inflight(ids=ids, owner="me", now=now)) if ids else 0


def end_of(row: Message) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.reason


def stopped_by(change) -> tuple[str, str]:
    """What becomes of an advertisement when `change(patient, row)` happens before the claim, and after it: the same."""
    ends = []
    for late in (False, True):
        row = advert(address=f"+7999000000{late:d}")
        ids = actions.claim(transport="sms", owner="me", size=9, now=NOON) if late else []
        change(row.patient, row)
        if late:
            assert ids == [row.pk] and actions.mark_inflight(ids=ids, owner="me", now=NOON) == []
        else:
            assert go() == 0
        ends.append(end_of(row))
    assert ends[0] == ends[1]
    return ends[0]


def test_an_advertisement_with_consent_and_approval_goes_and_keeps_what_it_stood_on():
    row = advert()
    assert go() == 1
    row.refresh_from_db()
    assert (row.state, row.basis, row.consent.patient_id) == ("inflight", "consent", row.patient_id)
    assert (row.decided_at, row.cap_used, row.cap) == (NOON, 1, 5)


def test_a_service_message_needs_no_consent_and_says_so():
    row = queued()
    assert go() == 1
    row.refresh_from_db()
    assert (row.basis, row.consent_id, row.cap_used, row.cap) == ("service", None, 1, None)


@pytest.mark.parametrize("kind", Suppression.Kind.values)
def test_an_address_out_of_use_stops_advertising_also_right_before_the_call(kind):
    def change(_patient, row):
        actions.suppress(transport="sms", address=row.address, kind=kind, detail="", by=make.actor(), now=NOON)

    assert stopped_by(change) == ("skipped", kind)


@pytest.mark.parametrize(
    ("kind", "state"), [("unsubscribed", "inflight"), ("bounced", "skipped"), ("blocked", "skipped")]
)
def test_only_who_unsubscribed_still_gets_service_messages(kind, state):
    row = queued(transport="email", address="Anna@Example.RU")
    actions.suppress(transport="email", address="anna@example.ru", kind=kind, detail="", by=make.actor(), now=NOON)
    go(transport="email")
    assert end_of(row)[0] == state


def test_a_suppression_is_of_one_transport_but_a_wrong_number_is_wrong_for_calls_too():
    patient = agrees()
    row = advert(patient, address=PHONE)
    actions.suppress(transport="email", address=PHONE, kind="bounced", detail="", by=make.actor(), now=NOON)
    assert may_contact(patient=patient, purpose="marketing", transport="call", now=NOON)
    actions.suppress(transport="sms", address=PHONE, kind="wrong_number", detail="", by=make.actor(), now=NOON)
    assert may_contact(patient=patient, purpose="marketing", transport="call", now=NOON).reason == "wrong_number"
    assert go() == 0 and end_of(row) == ("skipped", "wrong_number")


def test_who_says_yes_again_after_unsubscribing_is_advertised_to_again():
    patient = agrees(at=NOON - 2 * DAY)
    actions.suppress(transport="sms", address=PHONE, kind="unsubscribed", detail="", by=make.actor(), now=NOON - DAY)
    assert go() == 0
    first, second = advert(patient, address=PHONE), None
    go()
    assert end_of(first) == ("skipped", "unsubscribed")
    agrees(patient, at=NOON - H)
    second = advert(patient, address=PHONE)
    assert go() == 1 and end_of(second)[0] == "inflight"


@pytest.mark.parametrize("reason", ["complaint", "low_score", "bereavement", "by_person"])
def test_a_hold_freezes_advertising_at_once_and_nothing_else(reason):
    def change(patient, _row):
        actions.hold_promotions(patient=patient, reason=reason, key=f"{reason}:{patient.pk}", by=make.actor(), now=NOON)

    assert stopped_by(change) == ("skipped", "promotion_hold")
    service = queued(Message.objects.earliest("id").patient)
    assert go() == 1 and end_of(service)[0] == "inflight"


def test_a_hold_ends_with_its_time_or_when_it_is_lifted_and_holds_for_every_record_of_the_person():
    survivor = agrees()
    merged = make.patient(merged_into=survivor, canonical=survivor)
    hold = actions.hold_promotions(
        patient=merged, reason="complaint", key="incident:1", by=make.actor(), now=NOON, until=NOON + DAY
    )
    again = actions.hold_promotions(patient=merged, reason="complaint", key="incident:1", by=make.actor(), now=NOON)
    assert again.pk == hold.pk
    asked = {"patient": survivor, "purpose": "marketing", "transport": "sms"}
    assert may_contact(**asked, now=NOON).reason == "promotion_hold"
    assert may_contact(**asked, now=NOON + DAY + H)
    actions.lift_hold(hold=hold, by=make.actor(), now=NOON)
    assert may_contact(**asked, now=NOON)
    with pytest.raises(actions.NotOpen):
        actions.lift_hold(hold=hold, by=make.actor(), now=NOON)


def test_a_withdrawal_stops_what_is_queued_and_on_any_transport_freezes_advertising_for_a_month():
    def by_sms(patient, _row):
        withdraw(patient=patient, purpose="marketing", transport="", how="link", by=make.actor(), now=NOON)

    def by_mail(patient, _row):
        withdraw(patient=patient, purpose="marketing", transport="email", how="link", by=make.actor(), now=NOON)

    assert stopped_by(by_sms) == ("skipped", "withdrawn")
    assert stopped_by(by_mail) == ("skipped", "promotion_hold")
    patient = agrees()
    by_mail(patient, None)
    asked = {"patient": patient, "purpose": "marketing", "transport": "sms"}
    assert may_contact(**asked, now=NOON + 31 * DAY)
    agrees(patient, at=NOON + H)
    assert may_contact(**asked, now=NOON + 2 * H)


def test_without_a_proof_there_is_no_consent():
    imported = agrees(how="imported", evidence="")
    shown = agrees(how="imported", evidence="договор № 5 от 2024-01-10")
    silent = make.patient()
    rows = [advert(patient) for patient in (imported, shown, silent)]
    go()
    assert [end_of(row)[1] for row in rows] == ["unproven", "", "no_consent"]


def test_a_consent_counts_for_its_purpose_and_transport_alone():
    rows = [
        advert(agrees(transport="email")),
        advert(agrees(purpose="feedback")),
        advert(agrees(), purpose="health_offers"),
    ]
    go()
    assert [end_of(row)[1] for row in rows] == ["no_consent"] * 3


def test_an_approval_holds_on_its_days_in_the_clinics_zone_until_it_is_withdrawn():
    make.clinic(tz="Asia/Kamchatka")  # there it is the second of March since 12 hours
    today, tomorrow = NOON.date(), NOON.date() + DAY
    rows = [
        advert(approval=approval(first_day=first, last_day=last, withdrawn_at=at))
        for first, last, at in [
            (today, today, None), (tomorrow, tomorrow, None), (today - DAY, today - DAY, None), (today, today, NOON),
        ]
    ]  # fmt: skip
    rows.append(advert(approval=None))
    evening = NOON + 3 * H + timedelta(minutes=30)  # 00:30 of the third of March in Kamchatka
    go()
    assert [end_of(row)[1] for row in rows] == ["", "not_approved", "not_approved", "not_approved", "not_approved"]
    night = [advert(approval=approval(first_day=d, last_day=d), tz="Europe/Moscow") for d in (today, tomorrow)]
    go(now=evening)
    assert [end_of(row)[1] for row in night] == ["not_approved", ""]


def test_the_legal_switch_of_a_transport_is_asked_for_adverts_and_for_service_apart():
    TransportSetting.objects.update_or_create(
        transport="sms", defaults={"for_adverts": False, "for_service": True, "updated_at": NOON}
    )
    advertising, service = advert(), queued()
    go()
    assert end_of(advertising) == ("skipped", "transport_off") and end_of(service)[0] == "inflight"
    TransportSetting.objects.filter(transport="sms").update(for_service=False)
    service = queued()
    go()
    assert end_of(service) == ("skipped", "transport_off")


def test_telegram_does_not_advertise_until_a_person_says_so():
    row = advert(transport="telegram", address="12345")
    go(transport="telegram")
    assert end_of(row) == ("skipped", "transport_off")


@pytest.mark.parametrize(
    ("change", "reason"), [({"natural_churn_reason": "died"}, "deceased"), ({"is_test": True}, "test")]
)
def test_the_dead_and_test_people_are_left_alone_also_right_before_the_call(change, reason):
    def happens(patient, _row):
        type(patient).objects.filter(pk=patient.pk).update(**change)

    assert stopped_by(happens) == ("skipped", reason)


def test_the_zone_that_is_known_of_the_patient_now_counts_not_the_planned_one():
    row = advert(agrees(make.patient(tz="Asia/Kamchatka")), tz="Europe/Moscow")
    go()
    assert end_of(row) == ("queued", "quiet")
    assert row.not_before == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


def test_what_cannot_be_surely_handed_over_before_nine_waits_for_the_morning(settings):
    settings.SENDING_LEASE_SECONDS = 60
    evening = datetime(2026, 3, 2, 17, 59, 30, tzinfo=UTC)  # 20:59:30 in Moscow
    row, early = queued(now=NOON, expires_at=NOON + DAY), queued(now=NOON, expires_at=NOON + DAY)
    Message.objects.filter(pk=row.pk).update(not_before=evening)
    assert go(now=evening - timedelta(minutes=1)) == 1 and end_of(early)[0] == "inflight"
    assert go(now=evening) == 0 and end_of(row) == ("queued", "quiet")
    assert row.not_before == datetime(2026, 3, 3, 6, 0, tzinfo=UTC)


def test_a_call_about_an_offer_is_asked_about_in_the_same_words():
    patient = agrees()
    asked = {"purpose": "marketing", "transport": "call", "now": NOON}
    answer = may_contact(patient=patient, **asked)
    assert answer and (answer.basis, answer.consent, answer.cap_used, answer.cap) == (
        "consent", Consent.objects.get().pk, 1, 5,
    )  # fmt: skip
    nobody = make.patient()
    assert may_contact(patient=nobody, **asked).reason == "no_consent"
    assert may_contact(patient=nobody, purpose="service", transport="call", now=NOON).reason == "no_address"
    night = may_contact(patient=patient, **asked | {"now": datetime(2026, 3, 2, 19, 0, tzinfo=UTC)})
    assert (night.word, night.reason, night.until) == ("hold", "quiet", datetime(2026, 3, 3, 6, 0, tzinfo=UTC))
    Touchpoint.objects.create(patient=patient, kind="call", direction="out", at=NOON - H, purpose="marketing")
    after = may_contact(patient=patient, **asked)
    assert (after.word, after.reason, after.until) == ("hold", "cap", NOON - H + 7 * DAY)


def test_a_page_of_patients_is_asked_about_with_as_many_queries_as_one(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    patients = [agrees(make.patient(phone=f"+7916000{n:04}")) for n in range(30)]
    costs = []
    for some in (patients[:1], patients):
        with CaptureQueriesContext(connection) as taken:
            answers = may_contact_each(patients=some, purpose="marketing", transport="call", now=NOON)
        costs.append(len(taken))
        assert all(answers.values()) and len(answers) == len(some)
    assert costs[0] == costs[1] <= 8
