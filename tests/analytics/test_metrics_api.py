"""`/api/v1/metrics/`: figures, the rows behind them, and what is refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics.metrics import REGISTRY, compute
from analytics.models import MetricAnswer
from core.clock import local_date
from patients.models import Payment, Visit
from staff.models import ApiKey, Branch, Clinic, Doctor, Source
from tests import make
from tests.analytics import recompute, recompute_funnel
from tests.analytics.test_clinic90 import FOLDER, OURS, same
from tests.load import load_folder

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
ONE_EACH = {request["metric"]: request for request in OURS} | {
    "lost_patients": {"metric": "lost_patients", "params": {"year": 2023, "as_of": "2025-06-30"}}
}


@pytest.fixture
def clinic90():
    load_folder(Path(FOLDER))


class Api:
    """A client with a key of that role, in English."""

    def __init__(self, client, role: str = "manager", branch: Branch | None = None) -> None:
        text = f"k{role}.secret"
        ApiKey.objects.create(
            name=role, prefix=f"k{role}", digest=hashlib.sha256(text.encode()).hexdigest(), role=role, branch=branch,
            created_at=NOW,
        )  # fmt: skip
        self.client, self.headers = client, {"Authorization": f"Api-Key {text}", "Accept-Language": "en"}

    def get(self, path: str, **params):
        url = path if path.startswith("http") else f"/api/v1/{path}"
        return self.client.get(url, params or None, headers=self.headers)

    def rows(self, slug: str, **params) -> list[dict]:
        answer = self.get(f"metrics/{slug}/rows/", page_size=150, **params).json()
        found = answer["results"]
        while answer["next"]:
            answer = self.get(answer["next"]).json()
            found += answer["results"]
        return found


@pytest.fixture
def api(client):
    return Api(client)


@pytest.mark.parametrize("slug", sorted(ONE_EACH))
def test_a_figure_can_be_recomputed_from_its_rows_alone(clinic90, api, slug):
    params = ONE_EACH[slug]["params"]
    answer = api.get(f"metrics/{slug}/", **params).json()
    rows = api.rows(slug, **params)
    recompute.check_keys(rows)
    again = getattr(recompute if hasattr(recompute, slug) else recompute_funnel, slug)(
        rows, as_of=date.fromisoformat(answer["as_of"]), theta=Clinic.objects.get().theta_days,
        months=answer["params"].get("months"), by=answer["params"].get("by"),
        to=date.fromisoformat(params.get("to", answer["as_of"])),
        doctors=list(Doctor.objects.values_list("external_id", flat=True)),
    )  # fmt: skip
    assert same(again, answer["result"]), (again, answer["result"])
    if "result" in ONE_EACH[slug]:
        assert same(answer["result"], ONE_EACH[slug]["result"])


def test_every_metric_of_the_registry_is_recomputed_here():
    assert set(ONE_EACH) == set(REGISTRY)


def test_rows_have_exactly_the_documented_columns(clinic90, api):
    documented = {m["metric"]: set(m["columns"]) for m in api.get("metrics/").json()["results"]}
    assert set(documented) == set(REGISTRY)
    for slug, request in ONE_EACH.items():
        answer = api.get(f"metrics/{slug}/rows/", page_size=1, **request["params"]).json()
        assert {name for row in answer["results"] for name in row} <= documented[slug] == set(answer["columns"])


def test_every_grouping_can_be_recomputed(clinic90, api):
    for by in ("channel", "first_doctor", "diagnosis_any", "age_band", "speciality", "segment"):
        answer = api.get("metrics/ltv_by/", by=by, as_of="2025-06-30").json()
        assert recompute.ltv_by(api.rows("ltv_by", by=by, as_of="2025-06-30")) == answer["result"]


def test_pages_follow_each_other_without_gap_or_repetition(clinic90, api):
    whole = api.get("metrics/rfm/rows/", as_of="2025-06-30", page_size=200).json()
    assert whole["next"] is None
    answer = api.get("metrics/rfm/rows/", as_of="2025-06-30", page_size=20).json()
    found = answer["results"]
    while answer["next"]:
        answer = api.get(answer["next"]).json()
        assert len(answer["results"]) <= 20
        found += answer["results"]
    assert found == whole["results"]


@pytest.mark.parametrize(
    ("path", "params", "name"),
    [
        ("average_check/", {"from": "2024-01-01"}, "to"),
        ("average_check/", {"from": "2024-02-30", "to": "2024-03-01"}, "from"),
        ("average_check/", {"from": "2024-03-02", "to": "2024-03-01"}, "to"),
        ("average_check/", {"from": "2024-01-01", "to": "2024-03-01", "foo": "1"}, "foo"),
        ("lifespan/", {"from": "2024-01-01"}, "from"),
        ("lifespan/", {"as_of": "yesterday"}, "as_of"),
        ("lifespan/", {"branch": "nowhere"}, "branch"),
        ("lifespan/", {"doctor": "nobody"}, "doctor"),
        ("lifespan/", {"channel": "none"}, "channel"),
        ("churn_year/", {"year": "20x4"}, "year"),
        ("ltv_by/", {"by": "shoe_size"}, "by"),
        ("ltv_horizon/", {"months": "0"}, "months"),
        ("patient_value/", {"patient": "who"}, "patient"),
        ("rfm/rows/", {"page_size": "201"}, "page_size"),
        ("rfm/rows/", {"cursor": "!!"}, "cursor"),
        ("rfm/rows/", {"cursor": "WyJ4Il0"}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named_in_a_problem(api, path, params, name):
    answer = api.get(f"metrics/{path}", **params)
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [name]


def test_an_unknown_metric_is_404(api):
    assert api.get("metrics/happiness/").status_code == 404
    assert api.get("metrics/happiness/rows/").status_code == 404


def test_only_roles_with_the_deed_read_metrics(client):
    assert Api(client, "administrator").get("metrics/").status_code == 403
    assert client.get("/api/v1/metrics/").status_code == 401
    marketer = Api(client, "marketer")
    assert marketer.get("metrics/ltv_by/", by="sex").status_code == 200
    assert marketer.get("metrics/ltv_by/", by="diagnosis_any").status_code == 403


def test_a_key_of_a_branch_sees_that_branch_alone(client):
    here, there = make.default_branch(), make.branch()
    make.visit(make.patient(), branch=here)
    make.visit(make.patient(), branch=there)
    api = Api(client, branch=there)
    answer = api.get("metrics/ltv_historical/", as_of="2026-03-02").json()
    assert answer["result"]["patients"] == 1 and answer["params"]["branch"] == there.code
    assert api.get("metrics/ltv_historical/", branch=here.code).status_code == 404
    assert api.get("metrics/ltv_historical/", branch=there.code).status_code == 200


def test_a_question_asked_again_is_answered_from_the_kept_one_until_something_changes(
    api, django_assert_max_num_queries
):
    patient = make.patient()
    visit = make.visit(patient)
    path, params = "metrics/ltv_historical/", {"as_of": "2026-03-02"}
    first = api.get(path, **params).json()
    assert api.get(path, **params).json() == first and MetricAnswer.objects.count() == 1
    make.payment(patient, 100000, visit=visit)
    assert api.get(path, **params).json()["result"]["revenue"] == "1000.00"
    Clinic.objects.get(pk=1).save()
    assert api.get(path, **params).json()["result"]["revenue"] == "1000.00"


def test_a_code_shared_by_two_sources_never_melts_two_rows(api):
    other = Source.objects.create(code="mis")
    ours, theirs = make.doctor(external_id="7"), make.doctor(external_id="7", source=other)
    for doctor in (ours, theirs):
        make.visit(make.patient(), doctor=doctor)
    result = api.get("metrics/ltv_by/", by="first_doctor", as_of="2026-03-02").json()["result"]
    assert set(result) == {"crm:7", "mis:7"}
    assert api.get("metrics/ltv_historical/", doctor="7").status_code == 400
    assert api.get("metrics/ltv_historical/", doctor="mis:7", as_of="2026-03-02").json()["result"]["patients"] == 1


def test_the_number_of_queries_does_not_depend_on_the_number_of_patients(clinic90, django_assert_max_num_queries):
    for slug, request in ONE_EACH.items():
        with django_assert_max_num_queries(8):
            compute(slug, request["params"], NOW)


def test_the_default_day_is_yesterday_in_the_clinics_zone(api):
    answer = api.get("metrics/lifespan/").json()
    assert answer["as_of"] == (local_date(NOW, "Europe/Moscow") - timedelta(days=1)).isoformat()


def test_the_value_of_a_patient_is_live(client):
    clinic = Clinic.objects.get(pk=1)
    patient = make.patient()
    visit = make.visit(patient, start=NOW.replace(microsecond=0) - timedelta(days=40))
    api = Api(client, "administrator")
    path = f"patients/{patient.pk}/value/"
    assert api.get(path).json()["ltv_revenue"] == "0.00"
    make.payment(patient, 250050, at=visit.start_at, visit=visit)
    answer = api.get(path).json()
    assert answer["ltv_revenue"] == answer["average_check"] == "2500.50"
    assert answer["kind"] == "primary" and answer["churn"]["state"] == "active" and answer["churn"]["booked"] is False
    assert answer["churn"]["theta_days"] == clinic.theta_days
    assert api.get("patients/999999/value/").status_code == 404


def test_another_branchs_patient_has_no_value_for_this_key(client):
    there = make.branch()
    patient = make.patient(branch=make.default_branch())
    make.visit(patient)
    assert Api(client, "administrator", branch=there).get(f"patients/{patient.pk}/value/").status_code == 404
    assert Visit.objects.count() == 1 and not Payment.objects.exists()
