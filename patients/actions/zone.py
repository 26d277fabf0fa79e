"""Another time zone for the clinic: the local days that are stored with visits and payments are reckoned again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from core.clock import zone
from core.sql import date_of, local_day, on_postgresql
from patients.models import Payment, Visit
from staff.access import Actor
from staff.actions import record
from staff.actions.people import NotAllowed
from staff.models import AuditEntry, Clinic

VISITS, PAYMENTS = Visit._meta.db_table, Payment._meta.db_table


@dataclass(frozen=True)
class Moved:
    """How many lie on another day now."""

    visits: int
    payments: int


@transaction.atomic
def change_zone(*, tz: str, by: Actor, now: datetime) -> Moved:
    """The clinic reckons in `tz` from now on, for its past too. Raises NotAllowed, ValueError for no zone.

    Instants stay; `Visit.day`, `Payment.day` and `Payment.value_day` follow, in three statements however many there
    are. Value facts notice the new zone by themselves (`loyalty.queries.rules_in_force`).
    """
    if by.branch_id is not None:
        raise NotAllowed(_("Only those who answer for all branches can change this."))
    zone(tz)
    clinic = Clinic.objects.select_for_update().get(pk=1)
    before, clinic.tz = clinic.tz, tz
    if before == tz:
        return Moved(0, 0)
    clinic.save(update_fields=["tz", "updated_at"])
    moved = derive_days(tz=tz)
    note = f"{before} → {tz}; visits {moved.visits}, payments {moved.payments}"
    record(by=by, deed="change_zone", now=now, object_kind="clinic", object_id=1, fields=["tz"], note=note)
    return moved


@transaction.atomic
def derive_days(*, tz: str = "") -> Moved:
    """Set the stored days to what their instants say in `tz` (without one: the clinic's). Done twice it does nothing.

    Danger: somebody may have read the old zone and write a moment later. Those who write now are waited for; whoever
    comes after them is met by a second run (`reception.tasks.settle_days`).
    """
    tz = tz or Clinic.objects.values_list("tz", flat=True).get(pk=1)
    day = local_day(tz, _last_year())
    visit, payment = date_of(day("start_at")), date_of(day("paid_at"))
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(f"LOCK TABLE {VISITS}, {PAYMENTS} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"UPDATE {VISITS} SET day = {visit} WHERE day <> {visit}")  # noqa: S608 names and literals
        visits = cursor.rowcount
        cursor.execute(f"UPDATE {PAYMENTS} SET day = {payment} WHERE day <> {payment}")  # noqa: S608
        payments = cursor.rowcount
        # A refund's money counts on the day of what it gives back (metrics.md M01).
        paid = f"(SELECT o.day FROM {PAYMENTS} o WHERE o.id = COALESCE({PAYMENTS}.refund_of_id, {PAYMENTS}.id))"  # noqa: S608
        cursor.execute(f"UPDATE {PAYMENTS} SET value_day = {paid} WHERE value_day <> {paid}")  # noqa: S608
    return Moved(visits, payments)


def zone_changed_since(moment: datetime) -> bool:
    """Whether days that were kept at that moment may be those of another zone."""
    return AuditEntry.objects.filter(deed="change_zone", at__gte=moment).exists()


def _last_year() -> int:
    """The latest year that a visit or a payment lies in: changes of the clock are known up to it."""
    ends = (Visit.objects.aggregate(at=Max("start_at"))["at"], Payment.objects.aggregate(at=Max("paid_at"))["at"])
    years: list[int] = [end.year + 1 for end in ends if end]
    return max([1970, *years])
