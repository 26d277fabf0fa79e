"""What advertises: it needs the patient's consent and, for each day, a named person's approval (38-FZ art. 18).

Whom it is for is decided when it is planned and never again: the key of a birthday holds its year, that of a patient who
is being lost his last visit, so that nobody enters twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from core.clock import add_months, local_date
from loyalty.models import PatientValue
from messaging.queries.due import clinic_day
from messaging.rules.automation import Automation
from messaging.rules.texts import pair
from patients.models import Patient
from patients.models.contact import Purpose
from staff.models import Branch, Clinic, LossRule

DAY = timedelta(days=1)
RESTS = timedelta(minutes=15)  # whom it is for changes once a day
AGES = range(18, 111)  # a child's parents are not advertised to on a birthday
JUST_LOST = 60  # days past θ within which it is still worth a word
STILL_FITS = 2  # days on which a birthday may still be wished


def birth_dates(day: date) -> list[date]:
    """On which days they were born whose birthday is `day`; without a leap year the 29th of February is kept on the 28th."""
    born = [add_months(day, -12 * age) for age in AGES]
    born = [one for one in born if (one.month, one.day) == (day.month, day.day)]
    if (day.month, day.day) == (2, 28) and (day + DAY).month == 3:
        born += [one + DAY for one in born if (one + DAY).day == 29]
    return born


def birthdays(now: datetime) -> QuerySet[Patient]:
    """Grown-up canonical patients whose birthday has come where their branch is; `of_year` = the year that they turn.

    By lists of dates, which the index on the birth date serves.
    """
    due, years = Q(pk=None), {}
    for tz in Branch.objects.values_list("tz", flat=True).distinct():
        today = local_date(now, tz)
        for day in (today - DAY * back for back in range(STILL_FITS)):
            years[day] = Value(str(day.year))
            due |= Q(branch__tz=tz, birth_date__in=birth_dates(day))
    whens = [When(birth_date__in=birth_dates(day), then=year) for day, year in years.items()]
    known = Patient.objects.filter(due, merged_into=None, is_test=False, natural_churn_reason="")
    return known.annotate(of_year=Case(*whens, default=Value(""), output_field=CharField()))


def leaving(now: datetime) -> QuerySet[PatientValue]:
    """At risk, or lost not long ago, by the churn clock (R66); nothing booked ahead."""
    today = clinic_day(now)
    lost = Q(pk=None)
    thetas = {Clinic.objects.values_list("theta_days", flat=True).get(pk=1)}
    for theta in thetas | set(LossRule.objects.values_list("theta_days", flat=True)):
        lost |= Q(theta_days=theta, last_day__gt=today - timedelta(days=theta + JUST_LOST))
    state = Q(state=PatientValue.State.AT_RISK) | Q(lost, state=PatientValue.State.LOST)
    return PatientValue.objects.filter(
        state, Q(booked_at=None) | Q(booked_at__lte=now), patient__natural_churn_reason=""
    )


BIRTHDAY = Automation(
    code="birthday",
    name=_("Birthday with a gift"),
    explains=_("On the morning of the birthday, once a year, to grown-ups who agreed to advertising."),
    purpose=Purpose.MARKETING,
    template="birthday",
    who=birthdays,
    until=DAY,
    once_per=(F("pk"), F("of_year")),
    kind="advertising",
    rests=RESTS,
    about_time=False,
    texts=pair(
        "[{first_name}, ]с днём рождения! Здоровья и радости. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nПоздравляем вас с днём рождения! Желаем здоровья и радости.",
        "С днём рождения!",
        language="ru",
        promotion="В подарок — консультация: покажите это сообщение при записи. Отказ: СТОП",
        mail_promotion="В подарок — консультация: покажите это письмо при записи.\n\nНе присылать такие письма: {unsubscribe}",
    )
    | pair(
        "[{first_name}, ]happy birthday! Health and joy to you. {clinic}",
        "Hello[ {first_name}],\n\nhappy birthday! We wish you health and joy.",
        "Happy birthday!",
        language="en",
        promotion="Our gift: a consultation. Show this message when you book. Reply STOP to opt out",
        mail_promotion="Our gift: a consultation. Show this mail when you book.\n\nNo more such mails: {unsubscribe}",
    ),
)
WIN_BACK = Automation(
    code="win_back",
    name=_("We have not seen you for long"),
    explains=_("At risk and again when lost, by the churn clock: once for each time that a patient stops coming."),
    purpose=Purpose.MARKETING,
    template="win_back",
    who=leaving,
    until=3 * DAY,
    once_per=(F("pk"), F("last_day"), F("state")),
    kind="advertising",
    rests=RESTS,
    about_time=False,
    stops_when_booked=True,
    texts=pair(
        "[{first_name}, ]давно не виделись! Будем рады помочь[: {phone}]. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nМы давно не виделись и будем рады помочь вам снова. Ответьте на это письмо или "
        "позвоните: подберём удобное время.",
        "Давно не виделись",
        language="ru",
        promotion="Отказ: СТОП",
        mail_promotion="Не присылать такие письма: {unsubscribe}",
    )
    | pair(
        "[{first_name}, ]we have not seen you for long and will gladly help[: {phone}]. {clinic}",
        "Hello[ {first_name}],\n\nwe have not seen you for long and will gladly help you again. Answer this mail or call us: "
        "we will find a time that suits you.",
        "We have not seen you for long",
        language="en",
        promotion="Reply STOP to opt out",
        mail_promotion="No more such mails: {unsubscribe}",
    ),
)
