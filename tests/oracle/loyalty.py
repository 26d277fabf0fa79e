"""How long and to whom people stay: M03 lifespan (Kaplan-Meier), M08 own_doctor."""

from collections import Counter
from datetime import timedelta
from fractions import Fraction

from .exact import mean_rubles, quotient, ratio, share
from .world import Person, Visit, World


def lifespan(world: World) -> dict:
    """M03. Left-truncated persons are left out. Means are {num: 16 * days, den: 487 * n}."""
    people = [p for p in world.acquired if not p.truncated]
    repeat = [p for p in people if len(p.days) >= 2]
    days = sum((p.dl - p.d0).days for p in people)
    value, reach = restricted_mean(world, people)
    return {
        "patients": len(people),
        "one_day_patients": len(people) - len(repeat),
        "mean_all_months": ratio(16 * days, 487 * len(people)),
        "mean_repeat_months": ratio(16 * days, 487 * len(repeat)),
        "km_months_restricted_60_f": value,
        "horizon_months_f": reach,
    }


def restricted_mean(world: World, people: list[Person]) -> tuple[float | None, float | None]:
    """(months lived up to the horizon, the horizon in months), both after taking theta away."""
    events, censored = [], []
    for p in people:
        if p.dl + world.theta <= world.D:
            events.append((p.dl + world.theta - p.d0).days)
        else:
            censored.append((world.D - p.d0).days)
    theta = world.theta.days
    limit = min(1826 + theta, max(events + censored, default=0))
    if not events or limit <= theta:
        return None, None
    area = survival_area(events, censored, limit)
    return float((area - theta) * 16 / 487), float(Fraction((limit - theta) * 16, 487))


def survival_area(events: list[int], censored: list[int], limit: int) -> Fraction:
    """Integral of the Kaplan-Meier curve from 0 to `limit` days, one day at a time."""
    area, alive = Fraction(0), Fraction(1)
    died = Counter(events)
    for day in range(limit):
        if died[day]:
            at_risk = sum(1 for t in events + censored if t >= day)
            alive *= 1 - Fraction(died[day], at_risk)
        area += alive
    return area


def own_doctor(world: World) -> dict:
    """M08. naive, landmark and vs_one_time; left-truncated persons are left out."""
    people = [p for p in world.acquired if not p.truncated]
    own = [p for p in people if is_naively_own(p)]
    other = [p for p in people if not is_naively_own(p)]
    one_time = [p for p in people if len(p.days) == 1]
    own_sum, other_sum = sum(p.revenue for p in own), sum(p.revenue for p in other)
    once_sum = sum(p.revenue for p in one_time)
    return {
        "naive": {
            "own": len(own), "other": len(other),
            "ltv_own": mean_rubles(own_sum, len(own)), "ltv_other": mean_rubles(other_sum, len(other)),
            "ratio": share(ratio_of_means(own_sum, len(own), other_sum, len(other))),
        },
        "landmark": landmark(world, people),
        "vs_one_time": {
            "own": len(own), "one_time": len(one_time),
            "mean_own": mean_rubles(own_sum, len(own)), "mean_one_time": mean_rubles(once_sum, len(one_time)),
            "ratio": share(ratio_of_means(own_sum, len(own), once_sum, len(one_time))),
        },
    }  # fmt: skip


def ratio_of_means(sum_a: int, n_a: int, sum_b: int, n_b: int) -> Fraction | None:
    """Exact mean over exact mean; None if a group is empty or the second mean is zero."""
    mean_a, mean_b = quotient(sum_a, n_a), quotient(sum_b, n_b)
    return None if mean_a is None or not mean_b else mean_a / mean_b


def most_with_one(visits: list[Visit]) -> int:
    """Number of visits to the most frequent doctor."""
    return max(Counter(v.doctor_id for v in visits).values())


def is_naively_own(person: Person) -> bool:
    """At least 3 visits, at least 60 % of them with one doctor."""
    n = len(person.visits)
    return n >= 3 and 100 * most_with_one(person.visits) >= 60 * n


def landmark(world: World, people: list[Person]) -> dict:
    """Exposure in [d0, d0+180), outcome (kopecks by value date) in [d0+180, d0+545)."""
    groups: dict[bool, list[tuple[int, int]]] = {True: [], False: []}  # own? -> [(stratum, outcome)]
    for p in people:
        early = [v for v in p.visits if v.date < p.d0 + timedelta(days=180)]
        if p.d0 + timedelta(days=545) > world.D + timedelta(days=1) or len(early) < 2:
            continue
        start, end = p.d0 + timedelta(days=180), p.d0 + timedelta(days=545)
        outcome = sum(amount for day, amount in p.revenue_events() if start <= day < end)
        groups[most_with_one(early) >= 2].append((min(len(early), 4), outcome))
    own, other = groups[True], groups[False]
    own_sum, other_sum = sum(x for _, x in own), sum(x for _, x in other)
    return {
        "own": len(own),
        "other": len(other),
        "mean_own": mean_rubles(own_sum, len(own)),
        "mean_other": mean_rubles(other_sum, len(other)),
        "ratio": share(ratio_of_means(own_sum, len(own), other_sum, len(other))),
        "stratified_ratio": share(stratified(own, other)),
    }


def stratified(own: list[tuple[int, int]], other: list[tuple[int, int]]) -> Fraction | None:
    """Sum of n_own * mean_own over sum of n_own * mean_other, over strata present in both groups."""
    upper, lower = Fraction(0), Fraction(0)
    for stratum in (2, 3, 4):
        ours = [x for s, x in own if s == stratum]
        theirs = [x for s, x in other if s == stratum]
        if ours and theirs:
            upper += sum(ours)
            lower += len(ours) * Fraction(sum(theirs), len(theirs))
    return quotient(upper, lower)
