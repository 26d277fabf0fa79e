"""Nothing that advertises goes out without a named person's word, and what he read is what goes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from messaging import actions, automations
from messaging.models import Approval, Message, Template
from messaging.queries.clock import database_now
from messaging.queries.texts import template_rows
from patients.models import Consent
from staff.access import Actor
from staff.models import AuditEntry
from tests import make
from tests.messaging.outbox import send

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # Monday, 12:00 in Moscow
TODAY, DAY = date(2026, 3, 2), timedelta(days=1)
BIRTHDAY = automations.by_code("birthday")


@pytest.fixture(autouse=True)
def demo(settings):
    settings.DEMO, settings.SMS_GATEWAY_URL, settings.REQUIRE_TOTP = True, "", False
    make.clinic(name="Клиника")


def somebody(**fields):
    """Whose birthday it is, who agreed to advertising on paper."""
    patient = make.patient(phone="+79160000001", birth_date=date(1980, 3, 2), **fields)
    Consent.objects.create(
        patient=patient, purpose="marketing", transport="", given=True, at=NOON - 90 * DAY, how="paper",
        evidence="folder 12", external_id=f"c{patient.pk}",
    )  # fmt: skip
    return patient


def manager(role: str = "manager") -> Actor:
    user = make.user(role)
    return Actor(kind="user", id=user.pk, name=user.full_name, role=role)


def texts():
    return {f"{row.transport}:{row.language}": row.wording for row in template_rows(["birthday"])}


def approve(by: Actor | None = None, now: datetime = NOON, days: int = 1, **more) -> Approval:
    first = more.pop("first_day", now.date())
    given = {"subject": BIRTHDAY.subject, "texts": texts(), "audience": 1, "first_day": first}
    return actions.approve(**(given | more), last_day=first + (days - 1) * DAY, by=by or manager(), now=now)


def plan(now: datetime = NOON) -> int:
    return actions.plan(automation=BIRTHDAY, now=now)


def test_with_an_approval_and_a_consent_it_goes_out_with_the_warning_and_the_approvers_name():
    somebody()
    assert plan() == 0
    by = manager()
    approval = approve(by)
    assert plan() == 1
    send(now=NOON)
    row = Message.objects.get()
    assert (row.state, row.approval_id, row.basis) == ("sent", approval.pk, "consent") and row.consent is not None
    assert row.text.startswith("Иван, с днём рождения!") and row.text.endswith("необходима консультация специалиста.")
    entry = AuditEntry.objects.get(deed="approve_adverts")
    assert (entry.actor_id, entry.object_id) == (by.id, approval.pk)


def test_what_was_approved_goes_out_whatever_is_edited_afterwards():
    somebody()
    approve()
    plan()
    fresh = "{first_name}, новый текст. {clinic} СТОП"
    actions.save_template(
        code="birthday", transport="sms", language="ru", body=fresh, advertises=True, by=make.actor(), now=NOON
    )
    send(now=NOON)
    assert "новый текст" not in Message.objects.get().text


def test_a_withdrawn_approval_stops_what_is_queued():
    somebody()
    approval = approve()
    plan()
    for _twice in range(2):
        actions.withdraw_approval(approval=approval, by=manager(), now=NOON)
    send(now=NOON)
    row = Message.objects.get()
    assert (row.state, row.reason) == ("skipped", "not_approved")
    assert plan(NOON + timedelta(hours=1)) == 0
    assert AuditEntry.objects.filter(deed="approve_adverts").count() == 2


def test_an_approval_holds_on_its_days_of_the_clinic_and_no_longer():
    make.clinic(tz="Asia/Kamchatka")
    somebody()
    approve()
    late = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)  # Tuesday in Kamchatka, still Monday in the branch's zone
    assert plan(late) == 0
    assert plan(NOON) == 1


def test_only_a_person_approves_not_for_the_past_and_not_for_more_than_a_week():
    for by in (make.actor(), Actor(kind="key", id=1, name="key", role="owner")):
        with pytest.raises(actions.NotAPerson):
            approve(by)
    for wrong in ({"days": 8}, {"days": 0}, {"first_day": TODAY - DAY}):
        with pytest.raises(actions.BadDays):
            approve(**wrong)
    assert approve(days=7).last_day == TODAY + 6 * DAY


def test_texts_that_the_linter_forbids_are_not_approved():
    Template.objects.create(code="birthday", transport="sms", language="ru", body="Скидка!", updated_at=NOON)
    with pytest.raises(actions.BadText) as refused:
        approve()
    assert {finding.code for finding in refused.value.findings} == {"no_clinic", "no_stop"}


def test_without_consent_an_approved_advert_is_skipped_with_the_reason():
    make.patient(phone="+79160000002", birth_date=date(1980, 3, 2))
    approve()
    plan()
    send(now=NOON)
    assert Message.objects.get().reason == "no_consent"


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make.user(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_leaders_approve_on_the_page_that_says_how_many_wait_and_marketers_only_see_it():
    today = database_now()
    make.patient(phone="+79160000001", birth_date=today.date().replace(year=1980))
    url = "/messages/automations/birthday/"
    page = signed_in("marketer").get(url)
    assert page.context["row"].waiting_today == 1 and "approve/" not in page.content.decode()
    assert signed_in("marketer").post(f"{url}approve/", {"days": "1"}).status_code == 403
    owner = signed_in("owner")
    assert "approve/" in owner.get(url).content.decode()
    assert owner.post(f"{url}approve/", {"days": "99"}).status_code == 404
    assert owner.post(f"{url}approve/", {"days": "3"}).status_code == 303
    approval = Approval.objects.get()
    assert (approval.audience, (approval.last_day - approval.first_day).days) == (1, 2)
    assert str(approval.approved_by) in owner.get(url).content.decode()
    assert str(approval.approved_by) in owner.get("/messages/automations/").content.decode()
    assert owner.post(f"/messages/automations/win_back/approvals/{approval.pk}/withdraw/").status_code == 404
    assert owner.post(f"{url}approvals/{approval.pk}/withdraw/").status_code == 303
    approval.refresh_from_db()
    assert approval.withdrawn_at is not None and approval.withdrawn_by is not None
    assert owner.post("/messages/automations/feedback/approve/", {"days": "1"}).status_code == 404


def test_the_page_says_when_the_texts_were_edited_since():
    owner = signed_in("owner")
    owner.post("/messages/automations/birthday/approve/", {"days": "1"})
    assert owner.get("/messages/automations/birthday/").context["changed"] is False
    given = {"body": "{first_name}, поздравляем! {clinic}", "promotion": "Отказ: СТОП"}
    assert owner.post("/messages/texts/birthday/sms/ru/", given).status_code == 303
    assert owner.get("/messages/automations/birthday/").context["changed"] is True
