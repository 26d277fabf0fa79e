"""The churn clock of one patient: which state, and which rule decided it. Pure; `metrics.facts` says the same in SQL.

M34's `active`/`lost` and the losses of M14 go by θ alone and are not touched by this: here a silence is told early.
A booking ahead changes no state; it stands beside it ("lost, booked").
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SHORTEST_RHYTHM = 14  # days: two visits a week of one treatment are no habit that could be broken on the fifth day
NATURAL = ("moved", "died", "income", "recovered")

RULES = {
    "no_visit": _("There has been no visit yet."),
    "natural": _("A natural reason was recorded after the last visit."),
    "theta": _("By the clinic's threshold of days without a visit."),
    "speciality": _("By the threshold of the last visit's speciality."),
    "rhythm": _("By the patient's own rhythm: the usual gap between visits."),
}


def churn_state(
    silence: int | None, theta: int, of_speciality: bool, rhythm: int | None, natural: bool
) -> tuple[str, str]:
    """(state, rule). `silence`: days since the last visit-day, None without a visit; `rhythm`: lower median gap (M30).

    Lost after θ days of silence. Before that, with a rhythm: cooling after one usual gap, at risk after one and a half;
    without one: cooling after half of θ, at risk after three quarters.
    """
    if silence is None:
        return "none", "no_visit"
    if natural:
        return "natural", "natural"
    threshold = "speciality" if of_speciality else "theta"
    if silence > theta:
        return "lost", threshold
    if rhythm is not None:
        usual = max(rhythm, SHORTEST_RHYTHM)
        return step(2 * silence, 2 * usual, 3 * usual), "rhythm"
    return step(4 * silence, 2 * theta, 3 * theta), threshold


def step(silence: int, cooling: int, at_risk: int) -> str:
    if silence > at_risk:
        return "at_risk"
    return "cooling" if silence > cooling else "active"
