"""Branches, specialities, doctors, price list and channels of the demo clinic. Prices and costs in roubles."""

from __future__ import annotations

from dataclasses import dataclass

# Phones of a code that no operator has, as those of the patients.
BRANCHES = [
    {
        "external_id": "center",
        "name": "Клиника на Садовой",
        "tz": "Europe/Moscow",
        "address": "Садовая ул., 12",
        "phone": "+7 000 999-00-01",
    },
    {
        "external_id": "ural",
        "name": "Клиника на Малышева",
        "tz": "Asia/Yekaterinburg",
        "address": "ул. Малышева, 51",
        "phone": "+7 000 999-00-02",
    },
]

CHANNELS = [  # id, name, kind, share of new patients, roubles a day
    ("search", "Контекстная реклама", "paid", 0.26, 5200),
    ("social", "Социальные сети", "paid", 0.14, 2900),
    ("maps", "Карты и справочники", "paid", 0.12, 1100),
    ("aggregator", "Агрегатор записи", "paid", 0.13, 2400),
    ("site", "Сайт, поиск", "organic", 0.15, 0),
    ("friends", "Рекомендации", "referral", 0.20, 0),
]


@dataclass(frozen=True)
class Line:
    """A line of the price list: `share` = how often it is taken at its tier."""

    code: str
    name: str
    tier: str
    price: int
    cost: int
    minutes: int = 30
    recall_days: int | None = None


@dataclass(frozen=True)
class Room:
    """A speciality with its price list, doctors (branch code each) and usual diagnoses (ICD-10)."""

    code: str
    name: str
    doctors: tuple[str, ...]
    diagnoses: tuple[str, ...]
    weight: float
    lines: tuple[Line, ...]


def _room(code: str, name: str, doctors: str, diagnoses: str, weight: float, lines: list[tuple]) -> Room:
    made = tuple(Line(f"{code}-{i + 1:02}", *line) for i, line in enumerate(lines))
    return Room(code, name, tuple(doctors.split()), tuple(diagnoses.split()), weight, made)


ROOMS = [
    _room("den", "стоматология", "center center ural", "K02 K04 K05 K07", 0.27, [
        ("Осмотр и план лечения", "lead_magnet", 0, 250),
        ("Снимок прицельный", "tripwire", 600, 120, 30),
        ("Профессиональная гигиена", "tripwire", 4900, 1700, 60, 180),
        ("Лечение кариеса", "core", 6800, 2600, 60),
        ("Лечение каналов", "core", 13500, 5200, 60),
        ("Имплантат с коронкой", "core", 68000, 31000, 60),
        ("Коронка керамическая", "core", 29000, 12500, 60),
        ("Отбеливание", "maximizer", 17500, 6200, 60),
        ("Ночная каппа", "maximizer", 9500, 3100),
        ("Наблюдение раз в полгода", "return", 2900, 900, 30, 180),
        ("Удаление зуба", "other", 5200, 1800),
        ("Справка для бассейна", "other", 700, 100),
    ]),
    _room("gyn", "гинекология", "center ural", "N76 N80 N91 N94", 0.18, [
        ("Первичная консультация по акции", "lead_magnet", 490, 600),
        ("УЗИ органов малого таза", "tripwire", 2900, 850),
        ("Приём гинеколога", "core", 3200, 1300),
        ("Программа «Женское здоровье»", "core", 18900, 7400, 60),
        ("Лазерное лечение", "core", 24500, 9800, 60),
        ("ПЦР-панель расширенная", "maximizer", 5400, 1500),
        ("Витаминный профиль", "maximizer", 4300, 1300),
        ("Ежегодный осмотр", "return", 3900, 1500, 30, 365),
        ("Ведение беременности, месяц", "return", 9800, 4100, 30, 30),
        ("Повторный приём", "other", 2400, 1000),
    ]),
    _room("car", "кардиология", "center ural", "I10 I20 I49 E78", 0.14, [
        ("ЭКГ в подарок", "lead_magnet", 0, 300),
        ("ЭКГ с расшифровкой", "tripwire", 1300, 350),
        ("Приём кардиолога", "core", 3600, 1500),
        ("Программа «Здоровое сердце»", "core", 16500, 6300, 60),
        ("ЭхоКГ", "core", 4400, 1500),
        ("Холтер 24 часа", "maximizer", 4200, 1200),
        ("Липидный профиль", "maximizer", 1900, 500),
        ("Контроль давления, раз в 3 месяца", "return", 2900, 1100, 30, 90),
        ("Повторный приём", "other", 2600, 1100),
        ("Справка для спорта", "other", 1500, 300),
    ]),
    _room("the", "терапия", "center ural", "J06 J20 K29 M54", 0.20, [
        ("Анализ сахара бесплатно", "lead_magnet", 0, 90),
        ("Общий анализ крови", "tripwire", 750, 200),
        ("Приём терапевта", "core", 2700, 1100),
        ("Чекап «Базовый»", "core", 12900, 4700, 60),
        ("Дневной стационар, курс", "core", 21500, 8900, 60),
        ("Расширенная биохимия", "maximizer", 3900, 1000),
        ("Прививка от гриппа", "maximizer", 1900, 1000),
        ("Ежегодный чекап", "return", 9900, 3900, 60, 365),
        ("Повторный приём", "other", 2100, 900),
        ("Больничный лист", "other", 900, 150),
    ]),
    _room("ped", "педиатрия", "center ural", "J00 J03 H66 Z00", 0.13, [
        ("Знакомство с педиатром", "lead_magnet", 300, 500),
        ("Приём педиатра", "core", 2900, 1200),
        ("Программа «Первый год»", "core", 39000, 17500, 60),
        ("Прививка по календарю", "tripwire", 1600, 700),
        ("Осмотр в сад и школу", "tripwire", 4900, 1900),
        ("Массаж, курс", "maximizer", 9500, 4300),
        ("Патронаж раз в месяц", "return", 3400, 1500, 30, 30),
        ("Повторный приём", "other", 2200, 950),
        ("Вызов на дом", "other", 4800, 2600, 60),
    ]),
    _room("der", "дерматология", "center", "L20 L70 L40 B35", 0.08, [
        ("Дерматоскопия одной родинки", "lead_magnet", 0, 200),
        ("Дерматоскопия полная", "tripwire", 3400, 900),
        ("Приём дерматолога", "core", 3100, 1300),
        ("Курс лечения акне", "core", 19800, 7100, 60),
        ("Удаление новообразования", "core", 5600, 1900),
        ("Чистка лица", "maximizer", 4700, 1500, 60),
        ("Пилинг", "maximizer", 5200, 1400, 60),
        ("Карта родинок раз в год", "return", 3900, 1100, 30, 365),
        ("Повторный приём", "other", 2300, 950),
    ]),
]  # fmt: skip
