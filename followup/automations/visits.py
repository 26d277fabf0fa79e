"""What a patient hears after a visit: who came, who did not, who left without the next booking.

Neutral on purpose: no doctor, no speciality, no service (323-FZ art. 13).
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from followup.automations.subjects import first_visits, left_without_next, missed, to_ask
from messaging.models.outbox import Priority
from messaging.rules.automation import Automation, Delay
from messaging.rules.texts import pair
from patients.models.contact import Purpose

H, DAY = timedelta(hours=1), timedelta(days=1)

FEEDBACK = Automation(
    code="feedback",
    name=_("Question after a visit"),
    explains=_(
        "A score from 1 to 5, asked once for each day of visits, at the latest on the next day where the visit was."
    ),
    purpose=Purpose.FEEDBACK,
    template="feedback",
    who=to_ask,
    delay=Delay(2 * H, timedelta(0), 20 * H),
    until=F("ask_until"),
    once_per=(F("root"), F("day")),
    kind="feedback",
    about_time=False,
    texts=pair(
        "[{first_name}, ]как прошёл ваш визит? Ответьте цифрой от 1 до 5, где 5 — всё хорошо. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nКак прошёл ваш визит? Ответьте на это письмо цифрой от 1 до 5, где 5 — всё "
        "хорошо, и напишите, что нам стоит исправить: как вас встретили, всё ли объяснили, не пришлось ли ждать.",
        "Как прошёл ваш визит?",
        language="ru",
    )
    | pair(
        "[{first_name}, ]how was your visit? Answer with a figure from 1 to 5, 5 being very good. {clinic}",
        "Hello[ {first_name}],\n\nhow was your visit? Answer this mail with a figure from 1 to 5, 5 being very good, and "
        "tell us what to improve: how you were met, whether all was explained, whether you had to wait.",
        "How was your visit?",
        language="en",
    ),
)
NO_SHOW_HELP = Automation(
    code="no_show_help",
    name=_("Did not come: may we help?"),
    explains=_("The day after a missed visit. Two weeks later a person calls, unless the patient has booked."),
    purpose=Purpose.SERVICE,
    template="no_show_help",
    who=missed,
    delay=Delay(20 * H, 2 * H, 7 * DAY),
    until=3 * DAY,
    once_per=(F("pk"),),
    kind="care",
    about_time=False,
    stops_when_booked=True,
    texts=pair(
        "[{first_name}, ]вчера мы вас не дождались. Что-то помешало? Поможем выбрать другое время[: {phone}]. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nМы ждали вас, но встретиться не получилось. Если что-то помешало, напишите или "
        "позвоните нам: подберём время, которое вам удобно.",
        "Поможем выбрать другое время",
        language="ru",
    )
    | pair(
        "[{first_name}, ]we missed you. Did something come up? We will help to find another time[: {phone}]. {clinic}",
        "Hello[ {first_name}],\n\nwe were waiting for you, but did not meet. If something came up, write or call us: we "
        "will find a time that suits you.",
        "We will help to find another time",
        language="en",
    ),
)
NO_NEXT = Automation(
    code="no_next",
    name=_("Left without the next booking"),
    explains=_("When a visit ended without a booking and without a reason, and reception has not booked one since."),
    purpose=Purpose.SERVICE,
    template="no_next",
    who=left_without_next,
    delay=Delay(2 * DAY, 1 * DAY, 14 * DAY),
    until=4 * DAY,
    once_per=(F("root"), F("day")),
    kind="care",
    about_time=False,
    stops_when_booked=True,
    texts=pair(
        "[{first_name}, ]мы не договорились о следующем визите. Подобрать удобное время[? {phone}]. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nВ прошлый раз мы не договорились о следующем визите. Если он нужен, ответьте на "
        "письмо или позвоните: подберём удобное время.",
        "Когда вам удобно прийти?",
        language="ru",
    )
    | pair(
        "[{first_name}, ]we have not agreed on your next visit. Shall we find a time[? {phone}]. {clinic}",
        "Hello[ {first_name}],\n\nlast time we did not agree on your next visit. If you need one, answer this mail or call "
        "us: we will find a time that suits you.",
        "When would you like to come?",
        language="en",
    ),
)
FIRST_VISIT = Automation(
    code="first_visit",
    name=_("Thanks after the first visit"),
    explains=_("The day after the very first visit; not to those who were unhappy with it."),
    purpose=Purpose.SERVICE,
    template="first_visit",
    who=first_visits,
    delay=Delay(1 * DAY, 2 * H, 3 * DAY),
    until=2 * DAY,
    once_per=(F("root"),),
    priority=Priority.FEEDBACK,
    kind="care",
    about_time=False,
    texts=pair(
        "[{first_name}, ]спасибо, что пришли к нам. Остались вопросы? Ответим[: {phone}]. {clinic}",
        "Здравствуйте[, {first_name}]!\n\nСпасибо, что пришли к нам. Если остались вопросы, ответьте на это письмо или "
        "позвоните: поможем разобраться.",
        "Спасибо, что пришли к нам",
        language="ru",
    )
    | pair(
        "[{first_name}, ]thank you for coming to us. Any questions left? Ask us[: {phone}]. {clinic}",
        "Hello[ {first_name}],\n\nthank you for coming to us. If you have questions, answer this mail or call us: we will "
        "help.",
        "Thank you for coming to us",
        language="en",
    ),
)
