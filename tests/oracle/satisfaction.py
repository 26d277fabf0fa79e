"""M25 satisfaction: NPS, CSAT, response rate, and were patients asked by the next day."""

from datetime import date, timedelta

from .clinic import Survey
from .exact import quotient, ratio, rounded
from .money import visits_in
from .world import World

DAY = timedelta(days=1)


def surveys(world: World) -> list[Survey]:
    """Surveys of real persons sent by the end of D."""
    return [s for s in world.clinic.surveys if world.person(s.patient_id) and world.seen(s.sent_at)]


def answers_in(world: World, start: date, end: date) -> list[Survey]:
    """Surveys answered in the period (and by the end of D)."""
    answered = [s for s in surveys(world) if world.seen(s.answered_at)]
    return [s for s in answered if start <= world.date(s.answered_at) <= end]


def nps_of(marks: list[int]) -> dict:
    """{responses, nps}: promoters (9-10) minus detractors (0-6) per hundred, 1 digit."""
    balance = sum(1 for m in marks if m >= 9) - sum(1 for m in marks if m <= 6)
    value = quotient(100 * balance, len(marks))
    return {"responses": len(marks), "nps": None if value is None else rounded(value, 1)}


def latest_nps(world: World, answers: list[Survey]) -> list[int]:
    """The mark of the latest answer with nps of each person."""
    latest: dict[str, Survey] = {}
    for s in sorted(answers, key=lambda s: (s.answered_at, s.survey_id)):
        if s.nps is not None:
            latest[world.canonical[s.patient_id]] = s
    return [s.nps for s in latest.values()]


def satisfaction(world: World, start: date, end: date) -> dict:
    """M25. The period is that of the answer; of sending for response_rate; of the visit for asked_by_next_day."""
    answers = answers_in(world, start, end)
    marks = [s.csat for s in answers if s.csat is not None]
    sent = [s for s in surveys(world) if start <= world.date(s.sent_at) <= end]
    return {
        "nps": nps_of(latest_nps(world, answers)),
        "csat": ratio(sum(1 for m in marks if m >= 4), len(marks)),
        "csat_mean": ratio(sum(marks), len(marks), digits=2),
        "response_rate": ratio(sum(1 for s in sent if world.seen(s.answered_at)), len(sent)),
        "asked_by_next_day": asked_by_next_day(world, start, end),
    }


def asked_by_next_day(world: World, start: date, end: date) -> dict:
    """Visits whose next day has passed: was a survey about the visit sent by it?"""
    visits = [v for v in visits_in(world, start, end) if v.date + DAY <= world.D]
    sent = surveys(world)

    def asked(visit) -> bool:
        about = [s for s in sent if s.appointment_id == visit.appointment_id]
        return any(world.date(s.sent_at) <= visit.date + DAY for s in about)

    return ratio(sum(asked(v) for v in visits), len(visits))
