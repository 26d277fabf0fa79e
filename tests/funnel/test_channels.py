"""Sources: a tree without circles, signs that mean one source, forms and sites set up on pages, traffic by hand and file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.actions.channels import BadMark, MarkTaken, add_mark
from funnel.actions.incoming import Enquiry
from funnel.actions.spend import take_back_spend
from funnel.actions.traffic import set_traffic
from funnel.models import ChannelMark, LeadForm, LeadHook, Spend, Traffic
from funnel.queries.attribution import channel_of
from patients.actions.channels import Circle, save_channel
from patients.actions.price import record_channels
from patients.models import Channel
from staff.models import AuditEntry, Change, Source
from tests import make

pytestmark = pytest.mark.django_db
HEAD = "Дата;Источник;Охват;Клики\n"


@pytest.fixture
def signed_in(client, settings):
    settings.REQUIRE_TOTP = False
    client.force_login(make.user("marketer"), backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["language"] = "en"
    return client


def save(channel: Channel | None, parent: Channel | None, name: str = "Поиск") -> Channel:
    return save_channel(channel=channel, name=name, kind="paid", parent=parent, by=make.actor(), now=make.NOW)


def mark(channel: Channel, kind: str, value: str, **tags: str) -> ChannelMark:
    return add_mark(channel=channel, kind=kind, value=value, **tags, by=make.actor(), now=make.NOW)


# --- the tree ---------------------------------------------------------------------------------------------------------
def test_a_source_never_stands_below_itself():
    top = save(None, None)
    middle, leaf = save(None, top), None
    leaf = save(None, middle)
    for parent in (top, middle, leaf):
        with pytest.raises(Circle):
            save(top, parent)
    assert save(leaf, top).parent == top
    assert AuditEntry.objects.latest("id").deed == "edit_channel"
    assert Change.objects.filter(resource="channels", object_id=leaf.pk).count() == 2


def test_another_system_sends_the_tree_and_no_circle_comes_in():
    source = Source.objects.create(code="ads")

    def send(*rows):
        made = [{"external_id": code, "name": code, "kind": "paid", "parent_id": parent} for code, parent in rows]
        return [row.errors for row in record_channels(source=source, rows=made, by=make.actor(), now=make.NOW)]

    assert send(("leaf", "middle"), ("middle", "top"), ("top", None)) == [{}, {}, {}]
    assert Channel.objects.get(external_id="leaf").parent.parent.external_id == "top"
    assert list(send(("top", "leaf"))[0]) == ["parent_id"]
    assert list(send(("self", "self"))[0]) == ["parent_id"]
    circle = send(("a", "b"), ("b", "a"))
    assert any(circle) and not Channel.objects.filter(parent__parent__external_id__in=["a", "b"]).exists()
    assert send(("leaf", None)) == [{}] and Channel.objects.get(external_id="leaf").parent is None


def test_the_page_shows_the_tree_in_its_order_with_one_count_of_queries(signed_in):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert signed_in.get("/sources/").status_code == 200
        return len(seen)

    top = make.channel(name="Яндекс")
    save(None, top, "Карты")
    queries()
    few = queries()
    for number in range(20):
        mark(save(None, top, f"К{number:02}"), "promo", f"p{number}")
    assert queries() == few
    tree = signed_in.get("/sources/").context["tree"]
    assert [(leaf.channel.name, leaf.depth) for leaf in tree[:2]] == [("Яндекс", 0), ("К00", 1)]
    assert tree[1].marks == 1


def test_a_source_is_made_and_changed_on_its_page(signed_in):
    sent = {"name": "Карты", "kind": "organic", "parent": ""}
    made = signed_in.post("/sources/new/", sent)
    channel = Channel.objects.get(name="Карты")
    assert made.status_code == 303 and made["Location"] == f"/sources/{channel.pk}/"
    child = save(None, channel)
    answer = signed_in.post(f"/sources/{channel.pk}/", sent | {"parent": child.pk})
    assert answer.status_code == 422 and "parent" in answer.context["form"].errors


# --- signs ------------------------------------------------------------------------------------------------------------
def test_a_sign_is_folded_stands_once_and_gives_an_enquiry_its_source():
    one, other = make.channel(name="Карты"), make.channel()
    mark(one, "promo", " Весна ")
    mark(one, "number", "8 (495) 123-45-67")
    mark(one, "referrer", "https://www.Maps.example/x")
    mark(one, "utm", "Yandex", campaign="Май")
    with pytest.raises(MarkTaken, match="Карты"):
        mark(other, "promo", "ВЕСНА", medium="ignored")
    for kind, bad in (("number", "abc"), ("referrer", "x"), ("utm", "  ")):
        with pytest.raises(BadMark):
            mark(one, kind, bad)
    asked = {"kind": "call", "created_at": make.NOW}
    assert channel_of(Enquiry(**asked, called_number="+7 495 123 45 67")) == one
    assert channel_of(Enquiry(**asked, utm={"source": "yandex", "campaign": "май"})) == one
    assert channel_of(Enquiry(**asked, utm={"source": "yandex"})) is None


def test_signs_are_added_and_removed_on_the_page_and_noted(signed_in):
    channel = make.channel()
    url = f"/sources/{channel.pk}/signs/"
    assert signed_in.post(url, {"kind": "utm", "value": "vk", "medium": "cpc"}).status_code == 303
    assert signed_in.post(url, {"kind": "utm", "value": "VK", "medium": "cpc"}).status_code == 422
    assert signed_in.post(url, {"kind": "number", "value": "none"}).status_code == 422
    made = ChannelMark.objects.get()
    for _click in range(2):
        assert signed_in.post(f"/sources/signs/{made.pk}/remove/").status_code in (303, 404)
    assert not ChannelMark.objects.exists()
    deeds = list(AuditEntry.objects.order_by("id").values_list("deed", flat=True))
    assert deeds[-2:] == ["add_channel_mark", "remove_channel_mark"]


# --- forms and sites --------------------------------------------------------------------------------------------------
FORM = {
    "code": "Site",
    "name": "Сайт",
    "sites": "https://Clinic.example/x\r\nclinic.example",
    "processing_ru": "Согласен\r\nна обработку",
    "asks_text": "on",
    "is_active": "on",
}


def test_a_form_is_made_on_a_page_and_works_with_the_words_given(signed_in):
    assert signed_in.post("/sources/forms/new/", FORM).status_code == 303
    form = LeadForm.objects.get()
    assert (form.code, form.sites) == ("site", ["https://clinic.example"])
    assert form.texts.get().body == "Согласен\nна обработку"
    assert Client().get("/w/site/").status_code == 200
    page = signed_in.get(f"/sources/forms/{form.pk}/")
    assert page.context["snippet"].startswith('<iframe src="') and "/w/site/?lang=ru" in page.context["snippet"]
    assert "&lt;iframe" in page.content.decode()
    changed = FORM | {"name": "Другое", "processing_ru": "Новые слова", "code": "other", "is_active": ""}
    assert signed_in.post(f"/sources/forms/{form.pk}/", changed).status_code == 303
    form.refresh_from_db()
    assert (form.code, form.name, form.texts.get().body) == ("site", "Другое", "Новые слова")
    assert Client().get("/w/site/").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [({"sites": "javascript:alert(1)"}, "sites"), ({"processing_ru": " "}, "processing_ru"), ({"code": "а"}, "code")],
)
def test_a_wrong_form_is_sent_back(signed_in, change, field):
    answer = signed_in.post("/sources/forms/new/", FORM | change)
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert not LeadForm.objects.exists()


def test_a_code_stands_once(signed_in):
    assert [signed_in.post("/sources/forms/new/", FORM).status_code for _time in range(2)] == [303, 422]


def test_the_secret_of_a_site_is_shown_once_and_ends_when_it_is_revoked(signed_in):
    made = signed_in.post("/sources/forms/", {"code": "page", "name": "Сайт"})
    secret = re.search(r'id="new-secret">([^<]+)<', made.content.decode())[1]
    assert len(secret) > 30 and "no-store" in made["Cache-Control"]
    assert secret not in signed_in.get("/sources/forms/").content.decode()
    assert signed_in.post("/sources/forms/", {"code": "page", "name": "x"}).status_code == 422
    hook = LeadHook.objects.get()
    for _click in range(2):
        assert signed_in.post(f"/sources/sites/{hook.pk}/revoke/").status_code == 303
    hook.refresh_from_db()
    assert hook.revoked_at and AuditEntry.objects.filter(deed="revoke_lead_hook").count() == 1


# --- traffic ----------------------------------------------------------------------------------------------------------
def upload(client, text: str, encoding: str = "utf-8"):
    return client.post("/sources/traffic/file/", {"file": SimpleUploadedFile("t.csv", text.encode(encoding))})


def test_a_day_entered_again_stands_as_entered_last(signed_in):
    channel = make.channel()
    for reach in (100, 200):
        sent = {"date": "2026-02-01", "channel": channel.pk, "reach": reach, "clicks": 7}
        assert signed_in.post("/sources/traffic/", sent).status_code == 303
    row = Traffic.objects.get()
    assert (row.channel, row.date, row.reach, row.clicks) == (channel, date(2026, 2, 1), 200, 7)
    assert signed_in.post("/sources/traffic/", {"date": "2199-01-01", "reach": -1, "clicks": 1}).status_code == 422


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_a_file_of_traffic_comes_in_and_again_changes_nothing(signed_in, encoding):
    channel = make.channel(name="Яндекс Карты")
    text = HEAD + '01.02.2026;яндекс карты;1 200;30\n2026-02-02;"Яндекс Карты";;5\n\n03.02.2026;;10;1\n'
    for _time in range(2):
        assert upload(signed_in, text, encoding).status_code == 303
    found = list(Traffic.objects.order_by("date").values_list("channel", "date", "reach", "clicks"))
    days = [date(2026, 2, day) for day in (1, 2, 3)]
    assert found == [(channel.pk, days[0], 1200, 30), (channel.pk, days[1], 0, 5), (None, days[2], 10, 1)]
    assert Change.objects.filter(resource="traffic").count() == 3


def test_one_wrong_row_keeps_the_whole_file_out_and_every_mistake_is_told(signed_in):
    make.channel(name="Карты")
    make.channel(name="Двое"), make.channel(name="двое")
    rows = "01.02.2026;Карты;1;1\n31.02.2026;Карты;1;1\n01.02.2026;Нет;x;1\n02.02.2026;Двое;1;-1\n01.01.2199;;1;1\n"
    answer = upload(signed_in, HEAD + rows)
    assert answer.status_code == 422 and not Traffic.objects.exists()
    told = [(number, column) for number, column, _reason in answer.context["mistakes"]]
    assert told == [(3, "date"), (4, "channel"), (4, "reach"), (5, "channel"), (5, "clicks"), (6, "date")]
    twice = upload(signed_in, HEAD + "01.02.2026;Карты;1;1\n01.02.2026;Карты;2;2\n")
    assert [row[0] for row in twice.context["mistakes"]] == [2, 3] and not Traffic.objects.exists()


@pytest.mark.parametrize("text", ["", "a;b\n1;2\n", HEAD, 'Дата;Клики\n"01.02.2026;1', "Дата;День\n1;2\n", "\x00\x01"])
def test_what_is_no_table_is_refused_with_a_reason(signed_in, text):
    answer = upload(signed_in, text)
    assert answer.status_code == 422 and answer.context["table"].errors["file"]


def test_a_file_of_spend_adds_no_line_twice_and_leaves_what_was_taken_back(signed_in):
    make.channel(name="Карты")
    head = "date,channel,amount,purpose,note\n"
    same = head + '2026-02-01,Карты,"1 234,50",,счёт\n2026-02-01,Карты,10,retention,\n2026-02-01,Карты,10,retention,\n'
    for _time in range(2):
        assert upload(signed_in, same).status_code == 303
    amounts = list(Spend.objects.order_by("amount", "id").values_list("amount", "purpose", "note"))
    assert amounts == [(1000, "retention", ""), (1000, "retention", ""), (123450, "acquisition", "счёт")]
    take_back_spend(spend=Spend.objects.get(note="счёт"), by=make.actor(), now=make.NOW)
    assert upload(signed_in, same).status_code == 303 and Spend.objects.count() == 4
    answer = upload(signed_in, same.replace("1 234,50", "999"))
    assert [row[:2] for row in answer.context["mistakes"]] == [(2, "amount")]
    assert Spend.objects.get(note="счёт").amount == 123450
    assert upload(signed_in, head + "2026-02-01,Карты,-5,,\n").status_code == 422


def test_days_page_by_page_with_one_count_of_queries(signed_in):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert signed_in.get("/sources/traffic/").status_code == 200
        return len(seen)

    channel = make.channel()
    for day in range(1, 29):
        for month in (1, 2):
            moment = {"by": make.actor(), "now": datetime.now(UTC)}
            set_traffic(channel=channel, day=date(2026, month, day), reach=1, clicks=1, **moment)
        if (month, day) == (2, 1):
            queries()
            few = queries()
    assert queries() == few
    first = signed_in.get("/sources/traffic/").context
    second = signed_in.get(f"/sources/traffic/?after={first['after']}").context
    dates = [row.date for page in (first, second) for row in page["days"]]
    assert len(dates) == 56 and dates == sorted(dates, reverse=True) and not second["after"]
    assert signed_in.get("/sources/traffic/?after=2026-99-99_1").status_code == 200


def test_another_system_sends_traffic(client):
    import hashlib

    from staff.models import ApiKey

    digest = hashlib.sha256(b"ads.secret").hexdigest()
    ApiKey.objects.create(name="ads", prefix="ads", digest=digest, role="integration", created_at=make.NOW)
    make.channel(external_id="maps", source=Source.objects.create(code="ads"))
    headers = {"Authorization": "Api-Key ads.secret"}
    row = {"source": "ads", "external_id": "1", "channel_id": "maps", "date": "2026-02-01", "reach": 10, "clicks": 2}
    made = client.post("/api/v1/traffic/", row, "application/json", headers=headers)
    assert made.status_code == 201, made.content
    wrong = client.post("/api/v1/traffic/", row | {"clicks": -1}, "application/json", headers=headers)
    assert wrong.status_code in (400, 422)
    got = client.get("/api/v1/traffic/?date__gte=2026-02-01", headers=headers).json()
    assert [(one["channel_id"], one["reach"], one["clicks"]) for one in got["results"]] == [("maps", 10, 2)]
