"""`/l/<code>/`: the link of a message. Counts the click and leads on; changes nothing else, so a scanner may follow it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from messaging import actions
from messaging.models import Message
from messaging.queries.links import clicked
from messaging.queries.texts import texts_for
from messaging.rules.bots import is_bot
from staff.access import public


class AwayRedirect(HttpResponseRedirect):
    """Only to where a person of the clinic pointed the text; a code of ours is the only way to get there."""

    allowed_schemes = ["https"]  # noqa: RUF012 - Django's own name


@public
@never_cache
@require_safe
def follow_link(request: HttpRequest, code: str) -> HttpResponse:
    """302 to the text's link, with UTM marks and nothing about the patient; 404 for a code that we never made."""
    number = clicked(code)
    message = None if number is None else Message.objects.filter(pk=number).first()
    words = texts_for({message.template}, {message.approval_id}).of(message) if message else None
    if message is None or words is None or not words.link:
        raise Http404
    now, headers = timezone.now(), request.headers
    purpose = " ".join(headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Moz"))
    agent = headers.get("User-Agent", "")
    bot = is_bot(method=request.method or "", agent=agent, purpose=purpose, sent_at=message.sent_at, now=now)
    actions.note_click(message=message, by_bot=bot, now=now)
    answer = AwayRedirect(marked(words.link, message))
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def marked(link: str, message: Message) -> str:
    """With the marks by which the site's own statistics tell where a visitor came from; marks that stand there stay."""
    parts = urlsplit(link)
    own = parse_qsl(parts.query, keep_blank_values=True)
    marks = {"utm_source": "clinic", "utm_medium": message.transport, "utm_campaign": message.template}
    more = [(name, value) for name, value in marks.items() if name not in dict(own)]
    return urlunsplit(parts._replace(query=urlencode(own + more)))
