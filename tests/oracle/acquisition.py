"""What patients cost and bring by channel: M09 cac, M10 ltv_cac, M11 payback, M12 romi."""

from datetime import date, timedelta

from .exact import add_months, mean_rubles, month_index, quotient, rubles, share
from .ltv import within
from .people import UNKNOWN
from .world import Person, World


def acquisition_spend(world: World, start: date, end: date) -> dict[str, int]:
    """Channel (or "unknown") -> kopecks of acquisition spend dated in the period and not after D."""
    sums: dict[str, int] = {}
    for s in world.clinic.spend:
        if s.purpose == "acquisition" and start <= s.date <= min(end, world.D):
            key = s.channel_id or UNKNOWN
            sums[key] = sums.get(key, 0) + s.amount
    return sums


def by_channel(people: list[Person]) -> dict[str, list[Person]]:
    groups: dict[str, list[Person]] = {}
    for person in people:
        groups.setdefault(person.channel, []).append(person)
    return groups


Rows = dict[str, tuple[int, list[Person]]]


def channel_rows(world: World, start: date, end: date) -> Rows:
    """Channel -> (spend, new persons): every channel, and "unknown" if it has a person or any spend."""
    spend, people = acquisition_spend(world, start, end), by_channel(world.new_in(start, end))
    rows = {c.channel_id: (spend.get(c.channel_id, 0), people.get(c.channel_id, [])) for c in world.clinic.channels}
    if spend.get(UNKNOWN) or people.get(UNKNOWN):
        rows[UNKNOWN] = (spend.get(UNKNOWN, 0), people.get(UNKNOWN, []))
    return rows


def summed(rows: Rows) -> tuple[int, list[Person]]:
    """The row of all these rows together."""
    return sum(s for s, _ in rows.values()), [p for _, people in rows.values() for p in people]


def with_all(world: World, start: date, end: date) -> Rows:
    """channel_rows with the row `all`."""
    rows = channel_rows(world, start, end)
    return rows | {"all": summed(rows)}


def cac(world: World, start: date, end: date) -> dict:
    """M09. {channels: {channel: row}, blended: row, paid: row}, row = {spend, new_patients, cac}."""
    rows = channel_rows(world, start, end)
    paid = {c.channel_id for c in world.clinic.channels if c.kind == "paid"}
    return {
        "channels": {key: cac_row(*row) for key, row in rows.items()},
        "blended": cac_row(*summed(rows)),
        "paid": cac_row(*summed({key: row for key, row in rows.items() if key in paid})),
    }


def cac_row(spend: int, people: list[Person]) -> dict:
    return {"spend": rubles(spend), "new_patients": len(people), "cac": mean_rubles(spend, len(people))}


def is_mature(world: World, end: date, months: int) -> bool:
    """Even a patient of the period's last day has lived all the months."""
    return add_months(end, months) <= world.D + timedelta(days=1)


def ltv_cac(world: World, start: date, end: date, months: int) -> dict:
    """M10. {channel or all: {mature, margin, spend, ltv_cac}}."""
    mature = is_mature(world, end, months)
    result = {}
    for key, (spend, people) in with_all(world, start, end).items():
        margin = sum(within(p, Person.margin_events, months) for p in people)
        value = quotient(margin, spend) if mature and people else None
        result[key] = {"mature": mature, "margin": rubles(margin), "spend": rubles(spend), "ltv_cac": share(value)}
    return result


def payback(world: World, start: date, end: date) -> dict:
    """M11. {channel or all: {observed_months, payback_months}}."""
    observed = month_index(end, world.D + timedelta(days=1))
    rows = with_all(world, start, end).items()
    return {
        key: {"observed_months": observed, "payback_months": paid_back_after(spend, people, observed)}
        for key, (spend, people) in rows
    }


def paid_back_after(spend: int, people: list[Person], observed: int) -> int | None:
    """The first number of months in which the margin reaches the spend."""
    if spend == 0 or not people:
        return None
    for k in range(1, observed + 1):
        if sum(within(p, Person.margin_events, k) for p in people) >= spend:
            return k
    return None


def romi(world: World, start: date, end: date, months: int | None = None) -> dict:
    """M12. {channel or all: {spend, revenue, margin, romi, roas}}, and `mature` when months are given."""
    rows = with_all(world, start, end).items()
    return {key: romi_row(world, end, months, spend, people) for key, (spend, people) in rows}


def romi_row(world: World, end: date, months: int | None, spend: int, people: list[Person]) -> dict:
    if months is None:
        revenue, margin = sum(p.revenue for p in people), sum(p.margin for p in people)
    else:
        revenue = sum(within(p, Person.revenue_events, months) for p in people)
        margin = sum(within(p, Person.margin_events, months) for p in people)
    mature = months is None or is_mature(world, end, months)
    row = {
        "spend": rubles(spend),
        "revenue": rubles(revenue),
        "margin": rubles(margin),
        "romi": share(quotient(margin - spend, spend)) if mature else None,
        "roas": share(quotient(revenue, spend)) if mature else None,
    }
    return row if months is None else row | {"mature": mature}
