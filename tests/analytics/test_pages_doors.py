"""Pages of figures through their doors: roles, addresses, empty clinics, languages, numbers of questions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from analytics.metrics import REGISTRY, compute
from core.clock import local_date
from loyalty.actions import refresh_values
from patients.models import Patient, Visit
from staff.models import Branch
from tests import make
from tests.analytics.doors import AS_OF, NOW, PAGES, PERIOD, body

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_an_empty_clinic_is_told_what_to_do(enter, address, language):
    response = enter(language=language).get(address)
    assert response.status_code == 200
    if address == "/dashboard/":
        assert reverse("reception:today") in body(response).split("start-here")[1]


@pytest.mark.parametrize("address", PAGES)
def test_pages_answer_with_a_full_clinic(enter, clinic90, address):
    response = enter().get(f"{address}?{AS_OF}")
    assert response.status_code == 200
    assert "style=" not in body(response)


def test_the_dashboard_prints_the_metrics_figures(enter, clinic90):
    text = body(enter().get(f"/dashboard/?{AS_OF}&{PERIOD}"))
    check = compute("average_check", {"from": "2024-01-01", "to": "2024-12-31", "as_of": "2025-06-30"}, NOW)
    rebooked = compute("rebooking", {"from": "2024-01-01", "to": "2024-12-31", "as_of": "2025-06-30"}, NOW)
    roubles = f"{round(Decimal(check['cash_flow'])):,}".replace(",", "\xa0")
    assert f"{roubles}\xa0₽" in text
    assert f">{check['completed_visits']}<" in text
    assert f"{Decimal(rebooked['rebooked_at_visit']['value']) * 100:.1f}%" in text


def test_what_has_no_data_yet_is_not_on_the_dashboard(enter, clinic90):
    text = body(enter().get(f"/dashboard/?{AS_OF}"))
    assert not [word for word in ("NPS", "LTV:CAC", "incident") if word in text]


def test_filters_live_in_the_address_and_change_the_figures(enter, clinic90):
    client = enter()
    everything = client.get(f"/dashboard/?{AS_OF}").context["groups"][0]["tiles"][1].value
    one = client.get(f"/dashboard/?{AS_OF}&doctor=D0001&channel=CH1&period=last_year&against=year")
    assert one.status_code == 200
    tile = one.context["groups"][0]["tiles"][1]
    assert int(tile.value) < int(everything.replace("\xa0", ""))
    assert "doctor=D0001" in tile.url and "channel=CH1" in tile.url and "from=2024-01-01" in tile.url
    assert 'name="against" value="year"' in body(one)
    assert one.context["bar"].chips[0]["label"].startswith("Doctor")


def test_a_speciality_counts_as_if_only_its_doctors_visits_existed(enter, clinic90):
    client = enter()
    response = client.get(f"/dashboard/?{AS_OF}&{PERIOD}")
    choices = response.context["bar"].form.fields["speciality"].widget.choices
    names = [value for value, _name in choices if value]
    visits = [
        int(
            client.get(
                "/dashboard/", {"as_of": "2025-06-30", "from": "2024-01-01", "to": "2024-12-31", "speciality": name}
            )
            .context["groups"][0]["tiles"][1]
            .value
        )
        for name in names
    ]
    assert sum(visits) == 98  # every doctor has one speciality, so the parts make the whole


@pytest.mark.parametrize(
    "wrong",
    [
        "from=2024-02-30",
        "from=2025-01-01&to=2024-01-01",
        "doctor=nobody",
        "channel=%00",
        "period=ever",
        "from=0001-01-01",
    ],
)
def test_a_wrong_filter_is_named_and_left_out(enter, clinic90, wrong):
    response = enter().get(f"/dashboard/?{AS_OF}&{wrong}")
    assert response.status_code == 422
    assert response.context["bar"].form.errors
    assert response.context["groups"]


def test_a_marketer_sees_figures_but_no_names_no_diagnosis_and_no_files(enter):
    patient = make.patient(last_name="Сидорова", phone="+79120001122")
    make.visit(patient, start=NOW - timedelta(days=3), diagnosis="J45")
    refresh_values(patients=None, now=NOW)
    client = enter("marketer")
    for url in ("/metrics/average_check/rows/?kind=visit&period=30d", "/value/patients/", "/value/", "/dashboard/"):
        text = body(client.get(url))
        assert "Сидорова" not in text and "J45" not in text and "9120001122" not in text
        assert "/tables/" not in text and "rows.csv" not in text
    assert client.get("/value/?by=diagnosis_first").status_code == 403
    assert client.get("/metrics/ltv_by/rows/?by=diagnosis_first").status_code == 403
    assert client.get("/metrics/no_show/rows.csv").status_code == 403
    assert client.get("/tables/dashboard/churn.csv").status_code == 403


def test_an_owner_sees_names_and_may_group_by_diagnosis(enter):
    make.visit(make.patient(last_name="Сидорова"), start=NOW - timedelta(days=3), diagnosis="J45")
    refresh_values(patients=None, now=NOW)
    client = enter("owner")
    assert "Сидорова" in body(client.get("/metrics/average_check/rows/?kind=visit&period=30d"))
    assert "Сидорова" in body(client.get("/value/patients/"))
    assert "J45" in body(client.get("/value/?by=diagnosis_first"))


@pytest.mark.parametrize("role", ["administrator", "curator", "doctor", "integration"])
def test_others_have_no_dashboard(enter, role):
    client = enter(role)
    for page in (*PAGES, "/metrics/rfm/rows/", "/spend/"):
        assert client.get(page).status_code == 403, page


def test_a_manager_of_a_branch_sees_that_branch_alone(enter):
    here, there = make.branch(is_default=True), make.branch()
    for branch, name in ((here, "Здешняя"), (there, "Тамошняя")):
        make.visit(make.patient(last_name=name, branch=branch), start=NOW - timedelta(days=3))
    refresh_values(patients=None, now=NOW)
    client = enter("manager", branch=here)
    text = body(client.get("/metrics/average_check/rows/?kind=visit&period=30d")) + body(client.get("/value/patients/"))
    assert "Здешняя" in text and "Тамошняя" not in text
    assert client.get(f"/dashboard/?branch={there.external_id}").status_code == 404
    choices = client.get("/dashboard/").context["bar"].form.fields["branch"].widget.choices
    assert [value for value, _name in choices] == ["", here.external_id]


def test_top_patients_come_richest_first_and_page_by_page(enter):
    for number in range(60):
        patient = make.patient()
        make.visit(patient, start=NOW - timedelta(days=10))
        make.payment(patient, 1000 * (number % 7 + 1), at=NOW - timedelta(days=10))
    refresh_values(patients=None, now=NOW)
    client = enter()
    first = client.get("/value/patients/")
    second = client.get(f"/value/patients/{first.context['next_url']}")
    values = [row["value"].revenue for page in (first, second) for row in page.context["people"]]
    assert len(values) == 60
    assert values == sorted(values, reverse=True)
    assert client.get("/value/patients/?after=1-x").status_code == 404
    assert client.get("/value/patients/?state=asleep").status_code == 404


def grown(patients: int) -> None:
    branch, doctor, service = make.default_branch(), make.doctor(), make.service()
    for number in range(patients):
        patient = make.patient(branch=branch)
        for back in (200, 100, 5):
            at = NOW - timedelta(days=back + number % 3)
            visit = make.visit(patient, start=at, doctor=doctor, may_overlap=True)
            make.item(visit, service=service)
            make.payment(patient, 200000, at=at, visit=visit)
    refresh_values(patients=None, now=NOW)


@pytest.mark.parametrize(
    "address", [*PAGES, "/metrics/average_check/rows/?kind=visit&period=12m", "/metrics/rfm/rows/", "/spend/"]
)
def test_questions_do_not_grow_with_the_rows(enter, django_assert_max_num_queries, address):
    client = enter()
    counts = []
    for patients in (1, 49):
        grown(patients)
        client.get("/how-we-count/")  # the session is fresh; the figures of the page are not kept yet
        with django_assert_max_num_queries(29) as asked:
            assert client.get(address).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_yesterday_is_the_day_of_the_figures_and_is_said(enter):
    make.visit(make.patient(), start=NOW - timedelta(days=3))
    response = enter().get("/dashboard/")
    yesterday = local_date(NOW, "Europe/Moscow") - timedelta(days=1)
    assert response.context["bar"].as_of == yesterday.strftime("%d.%m.%Y")
    assert yesterday.strftime("%d.%m.%Y") in body(response)


def test_the_rule_of_loss_stands_beside_every_figure_that_uses_it(enter, clinic90):
    client = enter()
    for page in ("dashboard", "retention"):
        for panel in client.get(f"/{page}/?{AS_OF}").context["panels"]:
            if panel.slug in ("bridge", "churn", "moves", "churn-years", "lifespan", "segments"):
                assert "365" in panel.sheet.note, panel.slug


def test_the_calculator_keeps_the_unit_rule_and_names_what_is_wrong(enter, clinic90):
    client = enter()
    good = body(client.get("/value/?check=3000&sales=4&months=30&share=35"))
    assert "10\xa0500\xa0₽" in good and "30\xa0000\xa0₽" in good
    assert "360\xa0000" not in good
    assert client.get("/value/?check=-1&sales=4&months=30&share=35").status_code == 422


def test_how_we_count_holds_every_metric_with_an_anchor(enter):
    text = body(enter().get("/how-we-count/"))
    for metric in REGISTRY.values():
        assert f'id="{metric.slug}"' in text
        assert str(metric.code) in text


def test_money_outside_visits_and_test_persons_change_nothing_on_pages(enter, clinic90):
    client = enter()
    before = body(client.get(f"/dashboard/?{AS_OF}"))
    person = make.patient(is_test=True, branch=Branch.objects.get(is_default=True))
    make.visit(person, start=Visit.objects.order_by("-start_at")[5].start_at)
    assert Patient.objects.filter(is_test=True).exists()
    after = body(client.get(f"/dashboard/?{AS_OF}"))
    assert before.count("tile-value") == after.count("tile-value")
