"""Invented people: names by a fake-data library, phones and addresses that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from faker import Faker


@dataclass
class Person:
    """`phone` may be shared by a family; `family` is the number of the household or None."""

    code: str
    sex: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    phone: str
    email: str
    family: int | None = None
    adult: str = ""


def unroutable_phone(n: int) -> str:
    """+7 000 …: no operator in Russia has that code, so nothing can ever ring."""
    return f"+7000{n:07}"


class People:
    """Makes persons one after another; every fifth belongs to the family of somebody before him."""

    def __init__(self, random: Random, seed: int) -> None:
        self.random, self.faker = random, Faker("ru_RU")
        self.faker.seed_instance(seed)
        self.made: list[Person] = []
        self.families = 0

    def next(self, today: date) -> Person:
        adults = [p for p in self.made[-400:] if not p.adult and (today - p.birth_date).days > 9000]
        if adults and self.random.random() < 0.22:
            person = self._relative(self.random.choice(adults), today)
        else:
            person = self._stranger(today, self.random.choices((24, 34, 45, 58, 69), (16, 30, 25, 18, 11))[0])
        self.made.append(person)
        return person

    def _stranger(self, today: date, age: int) -> Person:
        random, n = self.random, len(self.made) + 1
        female = random.random() < 0.63
        names = self._names(female)
        birth = today - timedelta(days=age * 365 + random.randint(-1800, 1800))
        email = f"patient{n}@example.invalid" if random.random() < 0.55 else ""
        return Person(f"P{n:05}", "f" if female else "m", *names, birth, unroutable_phone(n), email)

    def _names(self, female: bool) -> tuple[str, str, str]:
        fake = self.faker
        if female:
            return fake.last_name_female(), fake.first_name_female(), fake.middle_name_female()
        return fake.last_name_male(), fake.first_name_male(), fake.middle_name_male()

    def _relative(self, kin: Person, today: date) -> Person:
        """A child or spouse: the family's name and, as in life, the family's phone."""
        child = self.random.random() < 0.6
        person = self._stranger(today, self.random.randint(1, 15) if child else 38)
        if child:
            person.birth_date = today - timedelta(days=self.random.randint(200, 15 * 365))
            person.adult = kin.code
        person.last_name = _other_sex(kin.last_name, kin.sex, person.sex)
        if self.random.random() < 0.8:
            person.phone, person.email = kin.phone, ""
        if kin.family is None:
            self.families += 1
            kin.family = self.families
        person.family = kin.family
        return person


def _other_sex(name: str, sex: str, wanted: str) -> str:
    """Иванов ↔ Иванова, as far as the ending tells."""
    if sex == wanted:
        return name
    if wanted == "f":
        return name + "а" if name.endswith(("ов", "ев", "ин", "ын")) else name
    return name[:-1] if name.endswith(("ова", "ева", "ина", "ына")) else name
