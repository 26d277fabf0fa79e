"""Mailings: M24 campaign, M13 retention_roi."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from .exact import mean_rubles, quotient, ratio, rubles, share
from .intervals import newcombe, welch
from .world import Person, World

ARMS = ("treatment", "control")


@dataclass(frozen=True)
class Outcome:
    """What a person did in the window after the assignment; kopecks."""

    converted: bool
    revenue: int
    margin: int


@dataclass(frozen=True)
class Trial:
    """The mature outcomes of both arms, persons in both arms, persons whose window is still open."""

    contaminated: int
    immature: int
    arms: dict[str, list[Outcome]]
    cost: int


def assignments(world: World, campaign: str) -> dict[str, list[tuple[datetime, str]]]:
    """Canonical id -> visible (assigned_at, arm), earliest first."""
    found: dict[str, list[tuple[datetime, str]]] = {}
    for m in world.clinic.campaign_members:
        person = world.person(m.patient_id)
        if m.campaign_id == campaign and person is not None and world.seen(m.assigned_at):
            found.setdefault(person.id, []).append((m.assigned_at, m.arm))
    return {key: sorted(values) for key, values in found.items()}


def trial(world: World, campaign: str, days: int) -> Trial:
    window = timedelta(days=days)
    contaminated, immature = 0, 0
    arms: dict[str, list[Outcome]] = {arm: [] for arm in ARMS}
    for key, given in assignments(world, campaign).items():
        assigned, arm = given[0]
        if len({a for _, a in given}) > 1:
            contaminated += 1
        elif world.date(assigned) + window > world.D:
            immature += 1
        else:
            arms[arm].append(outcome(world, world.persons[key], assigned, window))
    spent = [s.amount for s in world.clinic.spend if s.campaign_id == campaign and s.date <= world.D]
    return Trial(contaminated, immature, arms, sum(spent))


def outcome(world: World, person: Person, assigned: datetime, window: timedelta) -> Outcome:
    """Facts after the assignment and dated within the window; a refund counts with its payment."""
    last = world.date(assigned) + window
    visits = [v for v in person.visits if v.start_at > assigned and v.date <= last]
    revenue = sum(m.amount for m in person.money if m.value_at > assigned and m.value_date <= last)
    return Outcome(bool(visits), revenue, revenue - sum(v.cost for v in visits))


def increment(t: list[int], c: list[int]) -> Fraction:
    """n_t * (mean_t - mean_c), exact kopecks."""
    return sum(t) - len(t) * Fraction(sum(c), len(c))


def margins(arm: list[Outcome]) -> list[int]:
    return [o.margin for o in arm]


def exact_roi(done: Trial) -> Fraction | None:
    """(incremental margin - cost) / cost; None while a window is open or an arm has fewer than 30 members."""
    t, c = (done.arms[arm] for arm in ARMS)
    if done.immature or min(len(t), len(c)) < 30:
        return None
    return quotient(increment(margins(t), margins(c)) - done.cost, done.cost)


def campaign(world: World, campaign: str, days: int = 30) -> dict:
    """M24. Uplift keys only if both arms have at least 2 mature members."""
    done = trial(world, campaign, days)
    result = {
        "contaminated": done.contaminated,
        "immature": done.immature,
        "treatment": arm_row(done.arms["treatment"]),
        "control": arm_row(done.arms["control"]),
        "cost": rubles(done.cost),
    }
    enough = min(len(arm) for arm in done.arms.values()) >= 2
    return result | uplift(done) if enough else result


def arm_row(arm: list[Outcome]) -> dict:
    revenue = sum(o.revenue for o in arm)
    return {
        "members": len(arm),
        "converted": ratio(sum(o.converted for o in arm), len(arm)),
        "revenue": rubles(revenue),
        "mean_revenue": mean_rubles(revenue, len(arm)),
    }


def uplift(done: Trial) -> dict:
    """Differences of the arms; intervals are pairs of floats (revenue in rubles, times n_t)."""
    t, c = (done.arms[arm] for arm in ARMS)
    came_t, came_c = sum(o.converted for o in t), sum(o.converted for o in c)
    revenue_t, revenue_c = [o.revenue for o in t], [o.revenue for o in c]
    return {
        "uplift_f": float(Fraction(came_t, len(t)) - Fraction(came_c, len(c))),
        "uplift_ci95_f": list(newcombe((came_t, len(t)), (came_c, len(c)))),
        "incremental_revenue": rubles(increment(revenue_t, revenue_c)),
        "incremental_margin": rubles(increment(margins(t), margins(c))),
        "incremental_revenue_ci95_f": [len(t) * bound for bound in welch(revenue_t, revenue_c)],
        "roi": share(exact_roi(done)),
    }


def retention_roi(world: World, start: date, end: date, days: int = 30) -> dict:
    """M13. Campaigns first assigned in the period with a known roi; other retention spend is not measurable."""
    counted = {}
    for c in world.clinic.campaigns:
        done = trial(world, c.campaign_id, days)
        if first_assigned_in(world, c.campaign_id, start, end) and exact_roi(done) is not None:
            counted[c.campaign_id] = increment(*(margins(done.arms[arm]) for arm in ARMS))
    spend = [s for s in world.clinic.spend if s.purpose == "retention" and s.date <= world.D]
    ours = sum(s.amount for s in spend if s.campaign_id in counted)
    other = sum(s.amount for s in spend if s.campaign_id not in counted and start <= s.date <= end)
    total = sum(counted.values())
    return {
        "campaigns": sorted(counted),
        "retention_spend": rubles(ours),
        "incremental_margin": rubles(total),
        "roi": share(quotient(total - ours, ours)),
        "unmeasured_spend": rubles(other),
    }


def first_assigned_in(world: World, campaign: str, start: date, end: date) -> bool:
    given = [at for values in assignments(world, campaign).values() for at, _ in values]
    return bool(given) and start <= world.date(min(given)) <= end
