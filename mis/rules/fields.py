"""What columns a file may have, how people call them, and which of them a row cannot do without."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.names import folded


@dataclass(frozen=True)
class Column:
    """A field of a file. `form`: how its cells are read (mis.rules.cells). `names`: headers as people write them."""

    name: str
    label: str | Promise
    form: str
    names: str  # comma-separated, folded


PATIENT_ID = Column(
    "patient_id", _("patient's id"), "code", "id пациента,код пациента,patient id,patient_id,id клиента"
)
CARD = Column(
    "card_number", _("card number"), "code", "номер карты,карта,№ карты,n карты,амбулаторная карта,card,card number"
)
WHO = (
    PATIENT_ID,
    CARD,
    Column(
        "full_name", _("full name"), "text", "фио,ф.и.о.,ф. и. о.,пациент,клиент,фио пациента,full name,name,patient"
    ),
    Column("last_name", _("last name"), "text", "фамилия,last name,surname"),
    Column("first_name", _("first name"), "text", "имя,first name,given name"),
    Column("middle_name", _("middle name"), "text", "отчество,middle name,patronymic"),
    Column(
        "birth_date", _("birth date"), "day", "дата рождения,д.р.,др,день рождения,birth date,birthday,date of birth"
    ),
    Column(
        "phones",
        _("phone"),
        "phones",
        "телефон,телефоны,мобильный,мобильный телефон,сотовый,тел,тел.,номер телефона,phone,phones,mobile",
    ),
)
BRANCH = Column("branch", _("branch"), "text", "филиал,клиника,подразделение,branch")
DOCTOR = (
    Column("doctor_id", _("doctor's id"), "code", "id врача,код врача,doctor id,doctor_id"),
    Column("doctor", _("doctor"), "text", "врач,доктор,специалист,фио врача,сотрудник,doctor"),
    Column("speciality", _("speciality"), "text", "специальность,специализация,speciality,specialty"),
)
MONEY = Column(
    "amount", _("amount"), "money", "сумма,стоимость,сумма услуги,итого,к оплате,amount,total,sum,сумма платежа"
)
METHOD = Column("method", _("how paid"), "method", "способ оплаты,вид оплаты,форма оплаты,method,payment method")
VISIT_ID = Column(
    "visit_id",
    _("visit's id"),
    "code",
    "id приема,номер приема,код приема,id визита,номер визита,visit id,appointment id",
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "patients": (
        *WHO,
        Column("sex", _("sex"), "sex", "пол,sex,gender"),
        Column("email", _("e-mail"), "text", "e-mail,email,почта,эл. почта,электронная почта,имейл"),
        Column("channel", _("channel"), "text", "канал,источник,откуда узнал,откуда узнали,рекламный канал,channel"),
        Column("created_at", _("first contact"), "moment", "дата создания,дата регистрации,создан,created,created at"),
        Column("tags", _("tags"), "text", "метки,теги,категория,tags"),
        Column("note", _("note"), "text", "примечание,комментарий,заметка,note,comment"),
        BRANCH,
    ),
    "visits": (
        VISIT_ID,
        *WHO,
        Column(
            "start_at",
            _("date of the visit"),
            "moment",
            "дата приема,дата визита,дата и время приема,дата,дата и время,начало,дата посещения,date,start,visit date",
        ),
        Column("time", _("time of the visit"), "clock", "время,время приема,время начала,time"),
        Column("minutes", _("minutes"), "whole", "длительность,минут,длительность (мин),minutes,duration"),
        *DOCTOR,
        Column("status", _("status"), "status", "статус,статус приема,состояние,status"),
        Column("service_id", _("service's id"), "code", "код услуги,id услуги,артикул,service id"),
        Column("service", _("service"), "text", "услуга,наименование услуги,услуги,service"),
        Column("quantity", _("quantity"), "whole", "количество,кол-во,quantity,qty"),
        MONEY,
        Column("cost", _("cost"), "money", "себестоимость,затраты,cost"),
        Column("paid", _("paid"), "money", "оплачено,оплата,сумма оплаты,paid"),
        METHOD,
        Column("diagnosis", _("diagnosis"), "text", "диагноз,мкб,мкб-10,код мкб,diagnosis,icd-10"),
        Column("return_date", _("recommended return"), "day", "рекомендованная явка,явка,повторный прием,return date"),
        BRANCH,
    ),
    "payments": (
        Column("payment_id", _("payment's id"), "code", "номер чека,чек,номер платежа,id платежа,payment id,receipt"),
        *WHO,
        VISIT_ID,
        Column("paid_at", _("date of payment"), "moment", "дата оплаты,дата платежа,дата,дата и время,date,paid at"),
        MONEY,
        Column("kind", _("kind"), "payment_kind", "тип,вид,операция,тип операции,kind,type"),
        METHOD,
        Column("refund_of", _("refund of payment"), "code", "возврат платежа,возврат по чеку,refund of"),
    ),
    "services": (
        Column("service_id", _("service's id"), "code", "код,код услуги,артикул,id,service id"),
        Column("service", _("service"), "text", "услуга,наименование,название,наименование услуги,service,name"),
        Column("speciality", _("speciality"), "text", "специальность,раздел,категория,группа,speciality,specialty"),
        Column("price", _("price"), "money", "цена,стоимость,прайс,price"),
        Column("cost", _("cost"), "money", "себестоимость,затраты,cost"),
        Column("tier", _("tier"), "tier", "ступень,уровень,тип,tier"),
        Column("minutes", _("minutes"), "whole", "длительность,минут,время,minutes,duration"),
        Column("recall_days", _("recall, days"), "whole", "повтор через,интервал,повтор через дней,recall,recall days"),
    ),
    "spend": (
        Column("spend_id", _("spend id"), "code", "id,номер,spend id"),
        Column("channel", _("channel"), "text", "канал,источник,площадка,рекламный канал,channel,source"),
        Column("date", _("date"), "day", "дата,день,date,day"),
        Column("amount", _("amount"), "money", "сумма,расход,расходы,затраты,бюджет,amount,spend,cost"),
        Column("purpose", _("purpose"), "purpose", "цель,назначение,purpose"),
        Column("campaign_id", _("campaign"), "code", "кампания,рекламная кампания,campaign"),
    ),
}
# Of each group one must be among the columns.
NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "patients": (("patient_id", "card_number", "full_name", "last_name"),),
    "visits": (("patient_id", "card_number", "full_name", "last_name"), ("start_at",), ("doctor", "doctor_id")),
    "payments": (("patient_id", "card_number", "full_name", "last_name"), ("paid_at",), ("amount",)),
    "services": (("service",),),
    "spend": (("channel",), ("date",), ("amount",)),
}
NOT_LETTERS = re.compile(r"[\s_:*]+")


def head(text: str) -> str:
    """A header as it is compared: folded, without stars, colons and doubled spaces."""
    return NOT_LETTERS.sub(" ", folded(text)).strip()


def guess(kind: str, header: Sequence[str]) -> list[str]:
    """The field of every column ("" = none), each field at most once; exact names only, so nothing is guessed wrong."""
    known = {head(name): column.name for column in COLUMNS[kind] for name in column.names.split(",")}
    known |= {head(column.name): column.name for column in COLUMNS[kind]}
    taken: set[str] = set()
    fields = []
    for text in header:
        found = known.get(head(text), "")
        fields.append("" if found in taken else found)
        taken.add(found)
    return fields


def guess_kind(header: Sequence[str]) -> str:
    """The kind of file whose columns explain the header best."""
    return max(COLUMNS, key=lambda kind: (not missing(kind, guess(kind, header)), sum(map(bool, guess(kind, header)))))


def missing(kind: str, mapping: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of fields of which the file has none."""
    return [group for group in NEEDED[kind] if not set(group) & set(mapping)]


def fingerprint(header: Sequence[str]) -> str:
    """The same for the same set of column names, whatever their order."""
    return hashlib.sha256("\x1f".join(sorted(head(text) for text in header)).encode()).hexdigest()


def labels(kind: str) -> dict[str, str | Promise]:
    return {column.name: column.label for column in COLUMNS[kind]}
