"""The way of a file through the pages, and who may walk it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mis import tasks
from mis.models import ImportJob
from patients.models import Patient
from staff.models import Role
from tests import make
from tests.mis.files import PATIENTS, VISITS, applied, csv_text, received

pytestmark = pytest.mark.django_db


@pytest.fixture
def _worker(monkeypatch):
    """A worker that is always there: a call is done at once."""
    monkeypatch.setattr("mis.tasks.run_import.delay", tasks.run_import)
    monkeypatch.setattr("mis.tasks.undo_import.delay", tasks.undo_import)


@pytest.fixture
def owner(client, settings):
    settings.REQUIRE_TOTP = False
    client.force_login(make.user(Role.OWNER), backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, data: bytes, **fields):
    file = SimpleUploadedFile("пациенты.csv", data)
    return client.post(reverse("mis:imports"), {"file": file, "kind": "", "source": "excel", **fields})


@pytest.mark.usefixtures("_worker")
def test_upload_look_import_undo(owner):
    answer = upload(owner, csv_text([*PATIENTS, ["Без Даты", "вчера", "", "", "", "7"]]).encode())
    assert answer.status_code in (302, 303)
    page = owner.get(answer.url)
    assert "Номер карты" in page.text
    assert not Patient.objects.exists()
    job = ImportJob.objects.get()
    seen = owner.get(reverse("mis:dry_run", args=[job.pk]))
    assert "Иванова Анна Петровна" in seen.text
    assert not Patient.objects.exists()
    owner.post(reverse("mis:start", args=[job.pk]))
    job.refresh_from_db()
    assert (job.status, job.created, job.failed) == ("done", 2, 1)
    page = owner.get(answer.url)
    assert page.status_code == 200
    assert "hx-trigger" not in page.text.split('id="state"')[1]
    refused = b"".join(owner.get(reverse("mis:rejected", args=[job.pk])).streaming_content).decode("utf-8-sig")
    assert refused.splitlines()[1].startswith("Без Даты;вчера;")
    owner.post(reverse("mis:undo", args=[job.pk]))
    assert not Patient.objects.exists()
    assert owner.get(answer.url).status_code == 200


def test_choosing_columns_and_kind(owner):
    job = received(csv_text([["Кто", "Карта клиента"], ["Иванова Анна", "101"]]).encode(), kind="patients")
    url = reverse("mis:columns", args=[job.pk])
    assert owner.post(url, {"kind": "patients", "column-0": "full_name", "column-1": "full_name"}).status_code == 422
    assert owner.post(url, {"kind": "patients", "column-0": "full_name", "column-1": "card_number"}).status_code == 302
    job.refresh_from_db()
    assert job.mapping == ["full_name", "card_number"]
    assert owner.post(url, {"kind": "visits"}).status_code == 302
    assert owner.get(reverse("mis:job", args=[job.pk])).status_code == 200
    assert owner.post(reverse("mis:start", args=[job.pk])).status_code == 422


def test_start_pressed_twice_runs_once_and_a_dead_broker_does_not_fail_the_page(owner, monkeypatch):
    from kombu.exceptions import OperationalError

    def dead(_job_id):
        raise OperationalError

    monkeypatch.setattr("mis.tasks.run_import.delay", dead)
    job = received(csv_text(PATIENTS).encode())
    for _n in range(2):
        assert owner.post(reverse("mis:start", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.status == "queued"
    page = owner.get(reverse("mis:job", args=[job.pk]), headers={"HX-Request": "true"})
    assert page.text.strip().startswith('<div id="state"')
    assert 'hx-trigger="every 1s"' in page.text


def test_discarding_leaves_nothing(owner, settings):
    job = received(csv_text(PATIENTS).encode())
    assert owner.post(reverse("mis:discard", args=[job.pk])).status_code == 302
    assert not ImportJob.objects.exists()


def test_what_is_no_table_answers_422_with_the_form(owner):
    answer = upload(owner, b"")
    assert answer.status_code == 422
    assert upload(owner, b"one\r\ntwo\r\n").status_code == 422
    assert upload(owner, csv_text(PATIENTS).encode(), source="кириллица").status_code == 422


def test_an_upload_over_the_limit_is_refused_before_it_is_read(owner, settings):
    settings.IMPORT_MAX_BYTES = 0
    answer = owner.post(
        reverse("mis:imports"), b"x" * (2 << 20), content_type="multipart/form-data; boundary=no", follow=False
    )
    assert answer.status_code == 413


def test_the_token_is_still_asked_for():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.user(Role.OWNER), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("mis:imports"), {"source": "excel"}).status_code in (302, 403)
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ADMINISTRATOR, Role.CURATOR, Role.DOCTOR])
def test_others_may_not(client, role, settings):
    settings.REQUIRE_TOTP = False
    job = received(csv_text(PATIENTS).encode())
    client.force_login(make.user(role), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("mis:imports")).status_code == 403
    assert client.get(reverse("mis:job", args=[job.pk])).status_code == 403


def test_another_branch_s_import_is_not_there(client, settings):
    settings.REQUIRE_TOTP = False
    job = received(csv_text(PATIENTS).encode())
    client.force_login(
        make.user(Role.MANAGER, branch=make.branch()), backend="django.contrib.auth.backends.ModelBackend"
    )
    for name in ("job", "dry_run", "rejected"):
        assert client.get(reverse(f"mis:{name}", args=[job.pk])).status_code == 404
    for name in ("start", "undo", "discard", "columns"):
        assert client.post(reverse(f"mis:{name}", args=[job.pk])).status_code == 404


def test_names_of_files_and_cells_are_escaped(owner):
    rows = [["ФИО", "Номер карты"], ["<script>alert(1)</script> Анна", "<b>1"]]
    job = received(csv_text(rows).encode(), name="<img src=x>.csv", kind="patients")
    for name in ("job", "dry_run"):
        text = owner.get(reverse(f"mis:{name}", args=[job.pk])).text
        assert "<script>alert" not in text
        assert "<img src=x>" not in text


def test_pages_ask_the_database_as_often_for_many_as_for_one(owner):
    def queries(url):
        with CaptureQueriesContext(connection) as seen:
            assert owner.get(url).status_code == 200
        return len(seen)

    owner.get(reverse("mis:imports"))  # what is asked once a session
    bad = [["Без Даты", "вчера", "", "", "", str(n)] for n in range(30)]
    job = applied(csv_text([*PATIENTS, bad[0]]).encode())
    few = queries(reverse("mis:imports")), queries(reverse("mis:job", args=[job.pk]))
    for _n in range(20):
        received(csv_text(VISITS).encode())
    job = applied(csv_text([*PATIENTS, *bad]).encode())
    many = queries(reverse("mis:imports")), queries(reverse("mis:job", args=[job.pk]))
    assert many == few
    assert max(many) < 30
