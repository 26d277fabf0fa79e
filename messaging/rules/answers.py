"""What a short answer means. It is read as a whole: "да" confirms, "да, но опоздаю" is for a person to read.

Stopping wins over everything, for it must work at once (38-FZ art. 18 p. 1); but whoever names his visit ("отмените визит",
"stop my appointment") speaks of the visit and not of advertising. Nothing with a question mark is ever a yes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

CONFIRM, CANCEL, STOP, SCORE, OTHER = "confirm", "cancel", "stop", "score", "other"
FEEDBACK = "feedback"
LONGEST_ANSWER = 160  # longer ones are letters: a person reads them
ALIKE, LONG_WORD = 0.84, 7  # slips of the finger are forgiven in long words only: "нет" and "нёс" are two words

SIGNS = {
    "👍": " да ",
    "👌": " да ",
    "✅": " да ",
    "✔": " да ",
    "🆗": " да ",
    "👎": " нет ",
    "❌": " нет ",
    "🛑": " стоп ",
}
# Marks that only colour the sign before them: variation, keycap, skin, joiner.
SHADES = re.compile("[\ufe0e\ufe0f\u20e3\u200d\U0001f3fb-\U0001f3ff]")
LOOKALIKES = str.maketrans("aceopxykmtbh", "асеорхукмтвн")  # "cтoп" typed half in Latin
REPEATED = re.compile(r"(\w)\1{2,}")  # "даааа"
WORD = re.compile(r"[\w']+")

YES = frozenset(
    """да ага угу ок окей хорошо конечно обязательно буду будем приду придем приеду приедем подойду подъеду согласен
    согласна договорились подтверждаю подтверждаем подтверждено подтвердить yes yep yeah yup ok okay sure confirm
    confirmed confirming coming da""".split()  # noqa: SIM905 (a list of words reads better so)
)
YES_PHRASES = frozenset({"i will come", "we will come", "i'll come", "we'll come", "i will be there", "i'll be there"})
POLITE = frozenset(
    """спасибо благодарю пожалуйста здравствуйте привет добрый доброе день вечер утро большое вам вас я мы мне нам все
    и ждите визит запись прием вовремя thanks thank you please hello hi i we it's is am will be there the a my visit
    appointment""".split()  # noqa: SIM905
)
VISIT = re.compile(
    r"\b(визит\w*|запис[ьи]\w*|прием\w*|врач\w*|доктор\w*|консультаци\w*|appointment\w*|visit\w*|booking\w*|doctor\w*)"
)
NO = frozenset("нет отмена отменить отмените отменяю отменяем отменяется cancel cancelled no nope net 0".split())  # noqa: SIM905
NO_PHRASES = re.compile(
    r"\bне (смогу|сможем|сможет|приду|придем|придет|приеду|приедем|буду|будем|будет|получится|получается|выйдет)\b"
    r"|(?<!не )\bотмен(а|ить|ите|и|яю|яем|яется|ите же)\b"
    r"|\b(can't|cant|cannot|can not|won't|wont|will not|unable to) (come|make|attend|be there)\b"
    r"|\bnot coming\b|(?<!not )(?<!don't )\bcancel\b"
)
STOPS = frozenset(
    """стоп stop отписка отписаться отписать отпишите отпиши отпишись отпишитесь отписываюсь unsubscribe unsub optout
    stopall""".split()  # noqa: SIM905
)
STOP_VERBS = re.compile(
    r"\bне (надо |нужно |смейте )?(присылайте|присылай|присылать|высылайте|шлите|шли|слать|отправляйте|отправлять|пишите"
    r"|писать|беспокойте|беспокоить|спамьте)\b"
    r"|\b(хватит|прекратите|перестаньте|прекращайте)( мне| нам)? (слать|писать|присылать|спамить|рассылку|рассылки"
    r"|рекламу|рекламы|рассылать|отправлять)\b"
    r"|\b(уберите|удалите|исключите|убери|удали)\b.*\bрассыл\w+"
    r"|\b(отмен\w+|отключ\w+|отказ\w*|прекра\w+) (от )?(рассылк\w+|подписк\w+|реклам\w+|спам\w*|смс|sms)"
    r"|\bне (надо|нужна|нужны|нужно|хочу) (получать )?(ваш\w+ )?(реклам\w+|рассылк\w+|спам\w*)"
    r"|\b(no more|don't send|do not send|dont send|don't text|do not text|stop sending|stop texting|remove me|opt out)\b"
)
STOP_OBJECTS = frozenset(
    """меня мне нам мой номер на от из с больше никогда никаких ваш ваша ваши вашу ваших свои свою эти это все всё смс
    sms сообщения сообщений рассылка рассылку рассылки рассылок реклама рекламу рекламы рекламой спам спама акции акций
    предложения подписка подписку подписки пожалуйста спасибо уже сюда телефон прошу здравствуйте получать хочу не надо
    me us any more anymore messages message texts text ads ad advertising please to from this list number your the
    emails email mail promotions""".split()  # noqa: SIM905
)
NUMBERS = {"один": 1, "два": 2, "три": 3, "четыре": 4, "пять": 5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
POINTS = r"(?: ?(?:балл\w*|звезд\w*|из 5|из пяти|/ ?5|points?|stars?|out of 5))"
SCORED = re.compile(
    rf"(?:оценка|ставлю|моя оценка|rating|score)? ?:? ?([1-5]){POINTS}?(?P<rest>$|[ ]*[.,!:;()\n–—-](?! ?\d).*)", re.S
)
STARS = re.compile(r"[⭐★🌟\s]+")


@dataclass(frozen=True)
class Answer:
    """`meaning`: confirm, cancel, stop, score, other. `pure`: nothing else was said, so nobody needs to read it."""

    meaning: str
    score: int | None = None
    pure: bool = True


def plain(text: str) -> str:
    """Small letters, ё as е, signs of the thumb as words, no shades, one space between words; punctuation stays."""
    text = SHADES.sub("", text)
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").replace("’", "'")
    text = REPEATED.sub(r"\1", text)
    return " ".join(_one_script(word) for word in text.split())


def _one_script(word: str) -> str:
    return word.translate(LOOKALIKES) if re.search("[а-я]", word) else word


def answer_of(text: str, asked: str = "") -> Answer:
    """`asked` = "feedback" when the message that is answered asked for a score of 1 to 5."""
    said = plain(text)
    words = WORD.findall(said)
    if len(said) > LONGEST_ANSWER or not said:
        return Answer(OTHER, pure=False)
    if _stops(said, words):
        return Answer(STOP)
    if asked == FEEDBACK and (score := _score(said, text)) is not None:
        return score
    if _cancels(said, words):
        return Answer(CANCEL, pure=False)
    return Answer(CONFIRM) if _confirms(said, words) else Answer(OTHER, pure=False)


def _near(word: str, known: Iterable[str]) -> bool:
    """The word itself, or a long one with a slip of the finger."""
    if word in (known := frozenset(known)):
        return True
    if len(word) < LONG_WORD:
        return False
    return any(len(one) >= LONG_WORD and SequenceMatcher(None, word, one).ratio() >= ALIKE for one in known)


def _stops(said: str, words: list[str]) -> bool:
    if VISIT.search(said):
        return False
    verb = STOP_VERBS.search(said)
    rest = WORD.findall(STOP_VERBS.sub(" ", said)) if verb else [word for word in words if not _near(word, STOPS)]
    named = bool(verb) or len(rest) < len(words)
    return named and all(word in STOP_OBJECTS or _near(word, STOPS) for word in rest)


def _cancels(said: str, words: list[str]) -> bool:
    if said in ("-", "–", "—"):
        return True
    left = [word for word in words if word not in POLITE]
    return bool(NO_PHRASES.search(said)) or (bool(left) and all(word in NO for word in left))


def _confirms(said: str, words: list[str]) -> bool:
    if "?" in said:
        return False
    if said.strip(" .!") in ("1", "+", "++") or " ".join(words) in YES_PHRASES:
        return True
    left = [word for word in words if word not in POLITE]
    return bool(left) and all(_near(word, YES) or (word == "1" and len(left) > 1) for word in left)


def _score(said: str, text: str) -> Answer | None:
    """The number alone, with its unit, or at the start with a remark behind a sign: "5 минут ждали" is no score."""
    stars = SHADES.sub("", text).strip()
    if STARS.fullmatch(stars) and 1 <= (count := len(re.sub(r"\s", "", stars))) <= 5:
        return Answer(SCORE, count)
    if (word := said.strip(" .!")) in NUMBERS:
        return Answer(SCORE, NUMBERS[word])
    found = SCORED.fullmatch(said)
    if found is None or "?" in said:
        return None
    return Answer(SCORE, int(found[1]), pure=not WORD.search(found["rest"]))
