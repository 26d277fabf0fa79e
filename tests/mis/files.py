"""Files as clinics bring them, and the way of a file through the house."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.export import xlsx_bytes
from mis import actions
from mis.models import ImportJob
from staff.access import Actor
from tests import make

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def csv_text(rows: list[list[str]], delimiter: str = ";") -> str:
    return (
        "\r\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows) + "\r\n"
    )


def received(data: bytes, *, name: str = "файл.csv", by: Actor | None = None, **fields: Any) -> ImportJob:
    fields = {"source_code": "excel", "now": NOW} | fields
    return actions.receive_file(chunks=[data], file_name=name, by=by or make.actor(), **fields)


def applied(data: bytes, *, by: Actor | None = None, **fields: Any) -> ImportJob:
    """Received, started and run to its end."""
    by = by or make.actor()
    job = received(data, by=by, **fields)
    actions.start_import(job_id=job.pk, by=by, now=NOW)
    assert actions.run_import(job_id=job.pk, worker="w", clock=lambda: NOW)
    job.refresh_from_db()
    assert job.created + job.updated + job.unchanged + job.failed == job.rows
    return job


def undone(job: ImportJob) -> ImportJob:
    actions.start_undo(job_id=job.pk, by=make.actor(), now=NOW)
    assert actions.undo_import(job_id=job.pk, worker="w", clock=lambda: NOW)
    job.refresh_from_db()
    return job


PATIENTS = [
    ["ФИО", "Дата рождения", "Телефон", "E-mail", "Пол", "Номер карты"],
    ["Иванова Анна Петровна", "31.05.1980", "8 (912) 345-67-89", "Anna@Mail.ru", "жен", "101"],
    ["Петров Пётр", "01.02.1975", "+7 912 345 67 89", "", "м", "102"],
]
VISITS = [
    ["Пациент", "Дата рождения", "Дата приёма", "Время", "Врач", "Услуга", "Сумма", "Статус"],
    [
        "Иванова Анна Петровна",
        "31.05.1980",
        "12.01.2026",
        "10:30",
        "Сидоров С. С.",
        "Консультация",
        "2 500,00",
        "Завершён",
    ],
    ["Иванова Анна Петровна", "31.05.1980", "12.01.2026", "10:30", "Сидоров С. С.", "УЗИ", "1500", "Завершён"],
    ["Новиков Олег Ильич", "12.12.1990", "13.01.2026", "11:00", "Сидоров С. С.", "УЗИ", "1500", "Неявка"],
]


def workbook(rows: list[list[Any]]) -> bytes:
    return xlsx_bytes([str(cell) for cell in rows[0]], rows[1:])
