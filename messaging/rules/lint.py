"""What is wrong with a text: an advertisement that calls itself service, a medical secret, a missing clinic, no way out.

Pure. Errors are refused when a text is saved, warnings are shown. Whole words or stems from the beginning of a word:
«акция» is found, «реакция» is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from messaging.rules.placeholders import filled_for_size
from messaging.rules.segments import segments
from messaging.rules.texts import Wording

# Words by which the regulator knows an advertisement, whatever the sender calls it (38-FZ art. 3; Plenum No. 58 of 2012).
ADVERT = (
    r"скид(?:к|оч)", r"акци(?:я|и|ю|ей|ям|ях|онн)", r"подар", r"дари(?:м|ть)", r"выгод", r"распродаж", r"промо",
    r"спецпредлож", r"спеццен", r"специальн\w+ (?:предложен|цен)", r"бонус", r"розыгрыш", r"к[эе][шщ]б[эе]к", r"сертификат",
    r"discount", r"sales?\b", r"promo", r"special offer", r"gift", r"bonus", r"cash ?back", r"voucher", r"free of charge",
    r"best price",
)  # fmt: skip
PERHAPS = (
    r"бесплатн", r"дешевл", r"рассрочк", r"успей", r"только сегодня", r"лучш\w+ цен", r"free\b", r"offers?\b", r"cheap",
    r"save\b", r"hurry",
)  # fmt: skip
# The fact of a visit to a certain doctor is a secret already (323-FZ art. 13).
MEDICAL = (
    r"диагноз", r"анализ", r"узи\b", r"мрт\b", r"кт\b", r"экг\b", r"рентген", r"операци", r"лечени", r"терапи[яиюе]\b",
    r"беремен", r"онко", r"вич\b", r"гепатит", r"диабет", r"депресси", r"прививк", r"вакцин", r"биопси", r"химиотерап",
    r"\w*(?:терапевт|хирург|гинеколог|уролог|кардиолог|невролог|дерматолог|венеролог|психиатр|психолог|нарколог"
    r"|онколог|стоматолог|ортодонт|педиатр|офтальмолог|эндокринолог|гастроэнтеролог|проктолог|маммолог|окулист)\w*",
    r"diagnos", r"biopsy", r"pregnan", r"cancer", r"hiv\b", r"hepatitis", r"diabet", r"depression", r"surger", r"vaccin",
    r"mri\b", r"x-?ray", r"ultrasound", r"blood test", r"test results?", r"therap(?:y|ist)", r"treatment",
    r"\w*(?:cardiolog|urolog|gyn(?:a)?ecolog|dermatolog|oncolog|psychiatr|neurolog|dentist|surgeon|p(?:a)?ediatric)\w*",
)  # fmt: skip
ICD = re.compile(r"\b[A-TV-ZА-Я]\d{2}(?:\.\d)?\b")
STOP = re.compile(r"\b(?:СТОП|STOP)\b")
ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
LONG = 4  # parts of an SMS
SHORT_STEM = 5  # letters: below that a speciality's name is taken whole


@dataclass(frozen=True)
class Finding:
    """`code` names the rule, `word` what was found. An error forbids saving."""

    code: str
    is_error: bool
    word: str = ""


def _pattern(stems: Collection[str]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(stems) + r")\w*", re.IGNORECASE)


ADVERT_WORDS, PERHAPS_WORDS, MEDICAL_WORDS = _pattern(ADVERT), _pattern(PERHAPS), _pattern(MEDICAL)


def lint(
    words: Wording,
    *,
    transport: str,
    language: str,
    advertises: bool,
    clinic: str = "",
    specialities: Collection[str] = (),
) -> list[Finding]:
    """Errors first. `clinic`: its name, for texts that write it out; `specialities`: as the clinic calls its own."""
    said = f"{words.subject}\n{words.body}\n{words.promotion}"
    found = _advert(said, words, clinic, transport) if advertises else _service(said, words)
    found += _secrets(said, specialities, advertises)
    found += _links(said, words)
    if transport == "sms":
        whole = words.whole(transport) + words.warning(transport, language, advertises=advertises)
        parts = segments(filled_for_size(whole, language)).count
        found += [Finding("long", False, str(parts))] if parts > LONG else []
    return sorted(found, key=lambda finding: not finding.is_error)


def _service(said: str, words: Wording) -> list[Finding]:
    """What needs no consent must not advertise (R124)."""
    found = [Finding("advert", True, match[0]) for match in _first(ADVERT_WORDS, said)]
    found += [Finding("advert", True, "%")] if "%" in said else []
    found += [Finding("promotion", True)] if words.promotion else []
    return found + [Finding("perhaps", False, match[0]) for match in _first(PERHAPS_WORDS, said)]


def _advert(said: str, words: Wording, clinic: str, transport: str) -> list[Finding]:
    """Who sends it, and how to make it stop (149-FZ art. 10, 38-FZ art. 18)."""
    found = []
    if "{clinic}" not in said and not (clinic and clinic.casefold() in said.casefold()):
        found.append(Finding("no_clinic", True))
    answers = transport != "email"  # a word to answer with
    if "{unsubscribe}" not in said and not (answers and STOP.search(said)):
        found.append(Finding("no_stop" if answers else "no_unsubscribe", True))
    if words.without_warning:
        found.append(Finding("no_warning", False, words.without_warning))
    return found


def _secrets(said: str, specialities: Collection[str], advertises: bool) -> list[Finding]:
    """An advertisement to everybody may name a service; the words about one patient may not."""
    found = [match[0] for match in _first(MEDICAL_WORDS, said)] + [match[0] for match in _first(ICD, said)]
    stems = [re.escape(_stem(name)) for name in specialities if name.strip()]
    found += [match[0] for match in _first(_pattern(stems), said)] if stems else []
    return [Finding("medical", not advertises, word) for word in dict.fromkeys(found)][:1]


def _links(said: str, words: Wording) -> list[Finding]:
    found = [Finding("raw_link", False, match[0]) for match in _first(ADDRESS, said)]
    if "{link}" in said and not words.link:
        found.append(Finding("link_nowhere", "{link}" not in "".join(re.findall(r"\[[^\[\]]*\]", said))))
    return found


def _first(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    match = pattern.search(text)
    return [match] if match else []


def _stem(speciality: str) -> str:
    """«кардиология» finds «кардиолог», «кардиологу»."""
    word = speciality.strip().casefold()
    return word if len(word) <= SHORT_STEM else word[:-2]
