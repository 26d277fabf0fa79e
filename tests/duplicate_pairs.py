"""Makes tests/data/duplicate_pairs.csv: 500 labelled pairs. `python -m tests.duplicate_pairs` writes it anew, the same.

The label says what a person at the desk would say; it is made by how the pair is built, never by the score.
"""

# ruff: noqa: E501
from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from random import Random

FILE = Path(__file__).parent / "data" / "duplicate_pairs.csv"
FIELDS = ("last_name", "first_name", "middle_name", "birth_date", "phones", "email", "sex")
LAST = [
    "Иванов",
    "Смирнов",
    "Кузнецов",
    "Попов",
    "Васильев",
    "Петров",
    "Соколов",
    "Михайлов",
    "Новиков",
    "Фёдоров",
    "Морозов",
    "Волков",
    "Алексеев",
    "Лебедев",
    "Семёнов",
    "Егоров",
    "Павлов",
    "Козлов",
    "Степанов",
    "Николаев",
    "Орлов",
    "Андреев",
    "Макаров",
    "Никитин",
    "Захаров",
    "Зайцев",
    "Соловьёв",
    "Борисов",
    "Яковлев",
    "Григорьев",
    "Романов",
    "Воробьёв",
    "Сергеев",
    "Кузьмин",
    "Фролов",
    "Александров",
    "Дмитриев",
    "Королёв",
    "Гусев",
    "Киселёв",
    "Ильин",
    "Максимов",
    "Поляков",
    "Сорокин",
    "Виноградов",
    "Ковалёв",
    "Белов",
    "Медведев",
    "Антонов",
    "Тарасов",
    "Жуков",
    "Баранов",
    "Филиппов",
    "Комаров",
    "Давыдов",
    "Беляев",
    "Герасимов",
    "Богданов",
    "Осипов",
    "Сидоров",
    "Матвеев",
    "Титов",
    "Марков",
    "Миронов",
    "Крылов",
    "Куликов",
    "Карпов",
    "Власов",
    "Мельников",
    "Денисов",
    "Гаврилов",
    "Тихонов",
    "Казаков",
    "Афанасьев",
    "Данилов",
    "Савельев",
    "Тимофеев",
    "Фомин",
    "Чернов",
    "Абрамов",
    "Мартынов",
    "Ефимов",
    "Щербаков",
    "Назаров",
    "Калинин",
    "Исаев",
    "Чернышёв",
    "Быков",
    "Маслов",
    "Родионов",
    "Коновалов",
    "Лазарев",
    "Воронин",
    "Климов",
    "Филатов",
    "Пономарёв",
    "Голубев",
    "Кудрявцев",
    "Прохоров",
]
MEN = [
    "Александр",
    "Дмитрий",
    "Максим",
    "Сергей",
    "Андрей",
    "Алексей",
    "Артём",
    "Илья",
    "Кирилл",
    "Михаил",
    "Никита",
    "Матвей",
    "Роман",
    "Егор",
    "Арсений",
    "Иван",
    "Денис",
    "Евгений",
    "Даниил",
    "Тимофей",
    "Владислав",
    "Игорь",
    "Владимир",
    "Павел",
    "Руслан",
    "Марк",
    "Константин",
    "Тимур",
    "Олег",
    "Ярослав",
    "Антон",
    "Николай",
    "Глеб",
    "Вадим",
    "Степан",
    "Юрий",
    "Богдан",
    "Артур",
    "Семён",
    "Макар",
    "Лев",
    "Виктор",
    "Елисей",
    "Виталий",
    "Вячеслав",
    "Захар",
    "Пётр",
    "Фёдор",
    "Борис",
]
WOMEN = [
    "Анастасия",
    "Мария",
    "Анна",
    "Виктория",
    "Екатерина",
    "Наталья",
    "Марина",
    "Полина",
    "София",
    "Дарья",
    "Алиса",
    "Ксения",
    "Александра",
    "Елена",
    "Елизавета",
    "Ольга",
    "Ирина",
    "Юлия",
    "Татьяна",
    "Светлана",
    "Арина",
    "Кристина",
    "Валерия",
    "Вероника",
    "Алина",
    "Варвара",
    "Диана",
    "Маргарита",
    "Карина",
    "Яна",
    "Евгения",
    "Людмила",
    "Галина",
    "Лариса",
    "Оксана",
    "Вера",
    "Надежда",
    "Любовь",
    "Нина",
    "Валентина",
    "Алла",
    "Тамара",
    "Инна",
    "Жанна",
    "Зоя",
]
FATHERS = [
    "Александрович",
    "Сергеевич",
    "Андреевич",
    "Дмитриевич",
    "Алексеевич",
    "Владимирович",
    "Николаевич",
    "Иванович",
    "Михайлович",
    "Юрьевич",
    "Викторович",
    "Евгеньевич",
    "Павлович",
    "Игоревич",
    "Олегович",
    "Петрович",
    "Васильевич",
    "Борисович",
    "Константинович",
]
TWINS = [("Марина", "Карина"), ("Дарья", "Марья"), ("Алина", "Арина"), ("Полина", "Галина"), ("Милана", "Милена"),
         ("Александр", "Александра"), ("Евгений", "Евгения"), ("Роман", "Рома н"), ("Денис", "Диана"), ("Анна", "Яна"),
         ("Виктор", "Виктория"), ("Иван", "Илья"), ("Никита", "Николай"), ("Мария", "Марина")]  # fmt: skip
Row = dict[str, str]


class Maker:
    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def person(self, sex: str = "", **fixed: str) -> Row:
        sex = sex or self.rng.choice("mf")
        last, father = self.rng.choice(LAST), self.rng.choice(FATHERS)
        row = {
            "last_name": last + "а" * (sex == "f"),
            "first_name": self.rng.choice(MEN if sex == "m" else WOMEN),
            "middle_name": father if sex == "m" else father.removesuffix("ич") + "на",
            "birth_date": self.day(1940, 2005),
            "phones": self.phone(),
            "email": "",
            "sex": sex,
        }
        if self.rng.random() < 0.3:
            row["email"] = f"user{self.rng.randrange(10**6)}@example.com"
        return row | fixed

    def day(self, first: int, last: int) -> str:
        return (date(first, 1, 1) + timedelta(days=self.rng.randrange((last - first) * 365))).isoformat()

    def phone(self) -> str:
        return f"+7900{self.rng.randrange(10**7):07d}"

    def slip(self, name: str) -> str:
        """One letter left out, doubled, exchanged with its neighbour or replaced by the next key."""
        at = self.rng.randrange(1, len(name) - 1)
        kind = self.rng.randrange(4)
        if kind == 0:
            return name[:at] + name[at + 1 :]
        if kind == 1:
            return name[:at] + name[at] + name[at:]
        if kind == 2 and name[at] != name[at + 1]:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        return name[:at] + {"а": "о", "о": "а", "е": "и", "и": "е"}.get(name[at], "н") + name[at + 1 :]

    def wrong_day(self, text: str) -> str:
        """Day and month swapped where that is a date and another one, else the last digit of the year."""
        year, month, day = text.split("-")
        if int(day) <= 12 and day != month:
            return f"{year}-{day}-{month}"
        return (date(int(year) + (1 if year[-1] != "9" else -1), int(month), min(int(day), 28))).isoformat()


def same(m: Maker) -> dict[str, tuple[int, object]]:
    """What one person looks like twice: kind -> (how many, builder of the pair)."""

    def changed(change: object, **fixed: str) -> object:
        def build() -> tuple[Row, Row]:
            one = m.person(**fixed)
            return one, one | change(one)  # type: ignore[operator]

        return build

    return {
        "same with other case and yo": (25, changed(lambda p: {
            "last_name": p["last_name"].upper().replace("Ё", "Е"), "first_name": p["first_name"].replace("ё", "е"), "email": ""})),
        "slip in the family name": (35, changed(lambda p: {"last_name": m.slip(p["last_name"]), "phones": m.phone()})),
        "slip in the first name": (20, changed(lambda p: {"first_name": m.slip(p["first_name"])})),
        "names swapped": (25, changed(lambda p: {"last_name": p["first_name"], "first_name": p["last_name"]})),
        "no middle name, new phone": (30, changed(lambda p: {"middle_name": "", "phones": m.phone()})),
        "no birth date, same phone": (30, changed(lambda p: {"birth_date": "", "middle_name": ""})),
        "day and month swapped": (25, changed(lambda p: {"birth_date": m.wrong_day(p["birth_date"]), "middle_name": ""})),
        "married": (20, changed(lambda p: {"last_name": m.rng.choice(LAST) + "а"}, sex="f")),
        "initials": (15, changed(lambda p: {"first_name": p["first_name"][0] + ".", "middle_name": p["middle_name"][0] + "."})),
        "no sex, no phone": (15, changed(lambda p: {"sex": "", "phones": ""})),
        "slip and no birth date, same phone": (10, changed(lambda p: {"last_name": m.slip(p["last_name"]), "birth_date": ""})),
    }  # fmt: skip


def two(m: Maker) -> dict[str, tuple[int, object]]:
    """What two people look like who are easily taken for one."""

    def child() -> tuple[Row, Row]:
        one = m.person()
        kin = m.person(phones=one["phones"], email=one["email"], birth_date=m.day(2008, 2024))
        stem = one["last_name"].removesuffix("а") if one["sex"] == "f" else one["last_name"]
        return one, kin | {"last_name": stem + "а" * (kin["sex"] == "f")} if kin["first_name"] != one[
            "first_name"
        ] else child()[1]

    def twins() -> tuple[Row, Row]:
        one = m.person(birth_date=m.day(2008, 2024))
        pair = m.rng.choice(TWINS)
        return one | {"first_name": pair[0]}, one | {"first_name": pair[1].replace(" ", "о")}

    def spouses() -> tuple[Row, Row]:
        he = m.person("m")
        return he, m.person("f", last_name=he["last_name"] + "а", phones=he["phones"], email=he["email"])

    def father() -> tuple[Row, Row]:
        one = m.person("m")
        year, rest = int(one["birth_date"][:4]), one["birth_date"][4:]
        return one, one | {"birth_date": f"{year + m.rng.choice((20, 25, 30))}{rest if rest != '-02-29' else '-02-28'}"}

    def namesake() -> tuple[Row, Row]:
        one = m.person()
        return one, one | {"birth_date": m.day(1940, 2005), "phones": m.phone(), "email": ""}

    def siblings() -> tuple[Row, Row]:
        one = m.person(birth_date=m.day(2000, 2015))
        names = [n for n in (MEN if one["sex"] == "m" else WOMEN) if n != one["first_name"]]
        return one, one | {"first_name": m.rng.choice(names), "birth_date": m.day(2015, 2024)}

    def birthday() -> tuple[Row, Row]:
        one = m.person("f")
        other = m.person("f", birth_date=one["birth_date"], first_name=one["first_name"])
        return one, other if other["last_name"] != one["last_name"] else birthday()[1]

    def bare() -> tuple[Row, Row]:
        one = m.person(birth_date="", phones="", email="")
        return one, one | {"middle_name": "", "phones": m.phone()}

    return {
        "child with the parent's phone": (50, child), "twins": (35, twins), "spouses with one phone": (35, spouses),
        "father and son of one name": (20, father), "namesakes": (40, namesake), "siblings": (30, siblings),
        "born on one day, same first name": (20, birthday), "a name and nothing else": (20, bare),
    }  # fmt: skip


def pairs() -> list[dict[str, str]]:
    m = Maker(2026)
    found = []
    for label, kinds in (("1", same(m)), ("0", two(m))):
        for kind, (count, build) in kinds.items():
            for _n in range(count):
                one, other = build()  # type: ignore[operator]
                row = {f"a_{name}": one[name] for name in FIELDS} | {f"b_{name}": other[name] for name in FIELDS}
                found.append({"same": label, "kind": kind, **row})
    return found


def write() -> None:
    rows = pairs()
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write()
