"""How likely two records are one person: a symmetric score from 0 to 100 with its reasons. It only asks people to look.

A phone or an e-mail address is weak evidence: families share them. Parents with children and twins must stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from core.names import folded

THRESHOLD = 60  # from here on a pair stands in the work list
HINT = 45  # from here on a record is shown while a new patient is typed
ALIKE = 0.8  # similarity from which two different spellings may be one name
NEAR_YEARS = 10  # 1985 and 1995 may be a slip of the hand; 1965 and 1995 are father and son
CAP_OTHER_FIRST, CAP_OTHER_LAST = 25, 30

# Names that differ by a letter or two and are still two names: Марина and Карина may be twins.
KNOWN_FIRST = frozenset(
    """александр александра алексей алена алина алла алиса альбина анастасия анатолий андрей анна антон антонина аня
    арина арсений артем артур богдан борис вадим валентин валентина валерий валерия варвара василиса василий вера
    вероника виктор виктория виталий владимир владислав владислава всеволод вячеслав галина геннадий георгий герман
    глеб григорий дана даниил данил данила дарина дарья денис диана дина дмитрий евгений евгения егор екатерина елена
    елизавета жанна захар злата зоя иван игорь илья инна инга ирина камила карина карл кира кирилл клавдия константин
    кристина ксения лада лариса лев леонид лидия лилия любовь людмила макар максим марат маргарита марина мария марк
    марта марья матвей милана милена мирон мирослава михаил надежда назар наталия наталья никита николай нина оксана
    олег олеся ольга павел платон полина петр раиса регина римма роза роман руслан сабина савелий светлана святослав
    семен сергей снежана софия софья станислав станислава степан таисия тамара тарас татьяна тимофей тимур тихон ульяна
    федор эдуард элина эльвира эмиль эмма юлиан юлия юрий яна яков яна ярослав ярослава""".split()  # noqa: SIM905 (a list of 150 quoted words reads worse)
)
SAME_NAME = (
    {"наталья", "наталия"},
    {"софья", "софия"},
    {"мария", "марья"},
    {"даниил", "данил", "данила"},
    {"юлия", "юлиана"},
)


@dataclass(frozen=True)
class Person:
    """What is compared. `phones` in E.164, `email` normalised; texts as typed."""

    last_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    birth_date: date | None = None
    phones: frozenset[str] = frozenset()
    email: str = ""
    sex: str = ""


@dataclass(frozen=True)
class Score:
    """`points` 0..100; `reasons` are codes that the pages translate (`REASONS`)."""

    points: int
    reasons: list[str] = field(default_factory=list)


@lru_cache(maxsize=65536)
def alikeness(one: str, other: str) -> float:
    """0..1 for two folded names, the same whichever comes first (difflib's own ratio is not)."""
    if one == other:
        return 1.0
    return max(SequenceMatcher(None, one, other).ratio(), SequenceMatcher(None, other, one).ratio())


def _first_fits(one: str, other: str) -> float:
    """0 = two names, 1 = one name, between = perhaps a slip of the hand. An initial fits its name."""
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    if any({one, other} <= group for group in SAME_NAME):
        return 0.95
    short, long = sorted((one, other), key=len)
    if len(short.rstrip(".")) == 1:
        return 0.85 if long.startswith(short.rstrip(".")) else 0.0
    if one in KNOWN_FIRST and other in KNOWN_FIRST:
        return 0.0
    return _slip(one, other)


def _last_fits(one: str, other: str) -> float:
    """Иванов and Иванова are one family name; otherwise as a slip of the hand."""
    if not one or not other:
        return 0.0
    return 1.0 if _stem(one) == _stem(other) else _slip(one, other)


def _slip(one: str, other: str) -> float:
    found = alikeness(one, other)
    return found if found >= ALIKE else 0.0


def _stem(name: str) -> str:
    """The family name without its gender: 'иванова' -> 'иванов', 'белая' -> 'бел', 'белый' -> 'бел'."""
    for ending in ("ская", "ский", "цкая", "цкий"):
        if name.endswith(ending):
            return name[:-2]
    if len(name) > 4 and name.endswith(("ова", "ева", "ина", "ына")):
        return name[:-1]
    return name[:-2] if len(name) > 4 and name.endswith(("ая", "ый", "ой")) else name


@dataclass(frozen=True)
class _Names:
    """How the names of two records fit: 0..1 each; `swapped` when last and first name stand in each other's place."""

    last: float
    first: float
    middle: float | None  # None: one of them has none
    swapped: bool = False

    @property
    def points(self) -> int:
        """50 for three equal names, 40 without a middle name, less for slips, much less for another middle name."""
        found = 40 if self.middle is None else 50 if self.middle else 20
        slips = sum(8 for fit in (self.last, self.first, self.middle or 1.0) if fit < 0.95)
        return found - slips - (3 if self.swapped else 0)


def _names(one: Person, other: Person) -> _Names:
    a = [folded(name) for name in (one.last_name, one.first_name, one.middle_name)]
    b = [folded(name) for name in (other.last_name, other.first_name, other.middle_name)]
    middle = _slip_middle(a[2], b[2]) if a[2] and b[2] else None
    straight = _Names(_last_fits(a[0], b[0]), _first_fits(a[1], b[1]), middle)
    swapped = _Names(_first_fits(a[0], b[1]), _first_fits(a[1], b[0]), middle, swapped=True)
    if not straight.last and not straight.first and min(swapped.last, swapped.first) > 0:
        return swapped
    return straight


def _slip_middle(one: str, other: str) -> float:
    short, long = sorted((one, other), key=len)
    if len(short.rstrip(".")) == 1:
        return 0.95 if long.startswith(short.rstrip(".")) else 0.0
    return _slip(one, other)


def birth_fits(one: date | None, other: date | None) -> str:
    """ "equal", "near" (day and month swapped, or one digit wrong), "differs", or "" when one is not known."""
    if one is None or other is None:
        return ""
    if one == other:
        return "equal"
    if one.year == other.year and (one.day, one.month) == (other.month, other.day):
        return "near"
    wrong = sum(x != y for x, y in zip(one.strftime("%Y%m%d"), other.strftime("%Y%m%d"), strict=True))
    return "near" if wrong == 1 and abs(one.year - other.year) <= NEAR_YEARS else "differs"


BIRTH = {"equal": 35, "near": 20, "": 0, "differs": -40}
PHONE, EMAIL, SEX = 20, 20, -25


def score(one: Person, other: Person) -> Score:
    """How likely it is that `one` and `other` are one person. score(a, b) == score(b, a)."""
    names, birth = _names(one, other), birth_fits(one.birth_date, other.birth_date)
    phone = bool(one.phones & other.phones)
    email = bool(one.email) and one.email == other.email
    sex_differs = bool(one.sex and other.sex and one.sex != other.sex)
    points = names.points + BIRTH[birth] + PHONE * phone + EMAIL * email + SEX * sex_differs
    points = min(points, _cap(names, birth, contact=phone or email, female="m" not in (one.sex, other.sex)))
    return Score(max(0, min(100, points)), _reasons(names, birth, phone, email, sex_differs))


def _cap(names: _Names, birth: str, *, contact: bool, female: bool) -> int:
    """The most that the names allow, whatever else fits."""
    if not names.first:
        return CAP_OTHER_FIRST
    if names.last:
        return 100
    # Another family name: a woman who married, if all the rest is hers.
    married = female and birth == "equal" and contact and names.first >= 0.95 and names.middle != 0.0
    return 75 if married else CAP_OTHER_LAST


def _reasons(names: _Names, birth: str, phone: bool, email: bool, sex_differs: bool) -> list[str]:
    """In order of weight; see REASONS of the page."""
    slip = min(names.last, names.first, names.middle or 1.0)
    found = {
        "names_equal": slip >= 0.95 and not names.swapped,
        "names_alike": 0 < slip < 0.95,
        "names_swapped": names.swapped,
        "last_name_differs": not names.last,
        "middle_name_differs": names.middle == 0.0,
        "birth_equal": birth == "equal",
        "birth_near": birth == "near",
        "birth_differs": birth == "differs",
        "phone": phone,
        "email": email,
        "sex_differs": sex_differs,
    }
    return [reason for reason, holds in found.items() if holds]
