"""What the API says when it refuses: in the reader's language, and never in the words of an exception."""

from __future__ import annotations

import re

import pytest

from patients.models import Patient
from tests import make
from tests.api.test_resources import problem

pytestmark = pytest.mark.django_db
PYTHON = re.compile(r"codec|char \d|Expecting|delimiter|Exceeds|integer string|surrogates|Errno|Traceback", re.I)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1,\n "b" 2}', "строка 2, столбец 6"),
        (b"[NaN]", "NaN"),
        (b'{"a": 1, "a": 2}', "дважды"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\\ud800"}', "JSON"),
        (b"9" * 10_000, "JSON"),
        ("{'a': 'я'}".encode("cp1251"), "UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "порядка байтов"),
        (b"[" * 100_000, "вложен"),
    ],
)
def test_broken_json_is_explained_without_the_words_of_python(api, body, said):
    answer = api.post("patients/", body, **{"Accept-Language": "ru"})
    problem(answer, 400)
    detail = answer.json()["detail"]
    assert said in detail
    assert re.search("[а-я]", detail)
    assert not PYTHON.search(detail)


@pytest.mark.parametrize("role", ["administrator", "curator"])
def test_the_desk_cannot_make_a_test_person_of_a_patient(keys, role):
    patient = make.patient()
    answer = keys(role).patch(f"patients/{patient.pk}/", {"is_test": True})
    if role == "administrator":
        assert problem(answer, 422) == {"is_test": "is not yours to write"}
    else:
        problem(answer, 403)
    assert not Patient.objects.get(pk=patient.pk).is_test


@pytest.mark.parametrize("role", ["owner", "manager", "integration"])
def test_those_who_answer_for_the_figures_can(keys, role):
    patient = make.patient()
    assert keys(role).patch(f"patients/{patient.pk}/", {"is_test": True}).status_code == 200
    assert Patient.objects.get(pk=patient.pk).is_test


def test_who_may_not_read_why_a_patient_is_gone_cannot_write_it_either(keys):
    patient = make.patient()
    fields = {"natural_churn_reason": "died", "natural_churn_date": "2026-01-01"}
    assert set(problem(keys("administrator").patch(f"patients/{patient.pk}/", fields), 422)) == set(fields)
