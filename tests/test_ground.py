"""The ground holds: settings load, migrations are current, the rows that must exist exist."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from staff.models import AuditHead, Clinic, Source


@pytest.mark.django_db
def test_a_new_installation_has_its_own_source_its_clinic_and_an_empty_chain():
    assert Source.objects.get(pk=1).code == "crm"
    assert Clinic.objects.count() == 1
    assert AuditHead.objects.get(pk=1).count == 0


@pytest.mark.django_db
def test_migrations_are_current():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
