"""The desk in a real browser: by the keyboard alone, in both languages, wide and narrow, light and dark."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import day_start, local_date
from patients.models import Patient, Payment, Visit, WorkItem
from staff.models import Shift
from tests import make

TZ = "Europe/Moscow"


@pytest.fixture
def desk(committed):
    """A doctor on shift, a price list, and a patient who is here now."""
    now = datetime.now(UTC)
    branch = make.default_branch()
    doctor = make.doctor(branch=branch, name="Павлов Иван Петрович", speciality="терапия")
    noon = day_start(local_date(now, TZ), TZ) + timedelta(hours=12)
    for day in range(4):
        at = noon + timedelta(days=day)
        Shift.objects.create(
            doctor=doctor, branch=branch, start_at=at - timedelta(hours=4), end_at=at + timedelta(hours=8)
        )
    make.service(name="Приём терапевта", price=150000, cost=60000)
    make.service(name="Снятие швов", price=80000, cost=10000)
    patient = make.patient(
        branch=branch,
        phone="+79123456789",
        last_name="Соколова",
        first_name="Анна",
        middle_name="Петровна",
        search="соколова анна петровна 79123456789",
        birth_date=noon.date().replace(year=1984),
    )
    start = max(day_start(local_date(now, TZ), TZ), now - timedelta(minutes=30))
    visit = make.visit(patient, doctor=doctor, start=start, status="scheduled", booked_at=start - timedelta(days=2))
    done = make.visit(patient, doctor=doctor, start=noon - timedelta(days=40), goal="осмотр")
    make.payment(patient, 150000, visit=done, at=noon - timedelta(days=40), method="card")
    WorkItem.objects.create(
        kind="call_back", patient=patient, branch=branch, due_at=now, created_at=now, note="спросить о самочувствии"
    )
    return patient, visit


def test_the_keyboard_alone_finds_a_patient_and_logs_the_visit_in_half_a_minute(page_as, desk):
    patient, visit = desk
    page = page_as("administrator")
    page.goto("/today/")
    began = time.monotonic()
    keys = page.keyboard
    keys.press("/")
    keys.type("6789")
    page.wait_for_selector("#find-results .hit-line")
    keys.press("Enter")
    page.wait_for_url(f"**/patients/{patient.pk}/")
    keys.press("Escape")
    page.goto("/today/")
    keys.press("j")
    keys.press("f")
    page.wait_for_url("**/log/**")
    page.focus("#id_items-0-service")
    keys.type("Приём терапевта")
    page.wait_for_timeout(400)
    assert page.locator("[data-sum]").inner_text() == "1\u00a0500"
    while page.evaluate("document.activeElement.name") != "next-slot":
        keys.press("Tab")
    keys.press("Space")
    while page.evaluate("document.activeElement.name") != "next-goal":
        keys.press("Tab")
    keys.type("повторный осмотр")
    keys.press("Control+Enter")
    page.wait_for_url(re.compile(r"//[^/]+/today/"))
    assert time.monotonic() - began < 30
    visit.refresh_from_db()
    assert (visit.status, visit.amount, visit.next_visit.goal) == ("completed", 150000, "повторный осмотр")
    assert Payment.objects.get(visit=visit).amount == 150000


def test_a_double_click_and_the_back_button_log_one_visit(page_as, desk):
    _patient, visit = desk
    page = page_as("administrator")
    page.goto(f"/visits/{visit.pk}/log/")
    page.fill("#id_items-0-service", "Приём терапевта")
    page.select_option("#id_next-no_next_reason", "course_over")
    page.locator(".form-actions .btn-primary").dblclick()
    page.wait_for_url("**/patients/**")
    page.go_back()
    page.wait_for_url("**/patients/**")
    assert Payment.objects.filter(visit=visit).count() == 1
    assert Visit.objects.get(pk=visit.pk).items.count() == 1


def test_one_key_moves_the_row_and_the_focus_stays_on_it(page_as, desk):
    _patient, visit = desk
    page = page_as("administrator")
    page.goto("/today/")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_load_state()
    page.wait_for_selector("[role=status]")
    visit.refresh_from_db()
    assert visit.status == "arrived"
    assert page.evaluate("document.activeElement.id") == f"v{visit.pk}"


def test_what_was_typed_stays_and_the_faults_take_the_focus(page_as, desk):
    _patient, visit = desk
    page = page_as("administrator")
    page.goto(f"/visits/{visit.pk}/log/")
    page.fill("#id_items-0-service", "Приём терапевта")
    page.fill("#id_indication", "боль в спине")
    page.locator(".form-actions .btn-primary").click()
    page.wait_for_selector("[data-faults]:focus")
    assert page.input_value("#id_indication") == "боль в спине"


def test_people_alike_are_shown_while_typing(page_as, desk):
    patient, _visit = desk
    page = page_as("administrator")
    page.goto("/today/")
    page.keyboard.press("/")
    page.keyboard.type("Соколова Анна Петровна")
    page.click("#find-results button[name=add]")
    assert "?" not in page.url  # nothing personal stands in an address
    page.fill("#id_phones", "89123456789")
    page.keyboard.press("Tab")
    page.wait_for_selector(f"#alike a[href='/patients/{patient.pk}/']")
    page.locator("#referrer_q").fill("сокол")
    page.wait_for_selector("#referrer-hits input")
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(("language", "width", "theme"), [("ru", 1440, "light"), ("en", 360, "dark")])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(page_as, desk, accessible, language, width, theme):
    patient, visit = desk
    page = page_as("owner", language=language, width=width, theme=theme)
    item = WorkItem.objects.get()
    urls = ["/today/", "/patients/", "/patients/new/", "/work/", "/find/?q=nobody", f"/work/{item.pk}/close/"]
    urls += [f"/patients/{patient.pk}/{end}" for end in ("", "edit/", "consents/", "book/", "visit/", "work/")]
    urls += [f"/visits/{visit.pk}/{end}" for end in ("log/", "move/", "cancel/")]
    for url in urls:
        page.goto(url)
        accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{url} is {wide}px too wide"
