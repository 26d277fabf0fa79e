"""Outside a test's transaction batches are recorded two at a time on PostgreSQL."""

import pytest
from django.db import connection

from tests.clinics import random_clinic, shuffled, write_folder
from tests.mis.folders import facts, load


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lane")
@pytest.mark.usefixtures("committed")
def test_two_lanes_bring_the_same_clinic_as_one(tmp_path):
    clinic = shuffled(random_clinic(4, patients=60), 1)
    write_folder(clinic, tmp_path / "whole")
    _report, rejected = load(tmp_path / "whole", batch=9)
    assert not rejected
    _report, rejected = load(tmp_path / "whole", source_code="one", batch=5000)
    assert not rejected
    assert facts() == facts("one")
