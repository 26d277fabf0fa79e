"""Template vocabulary of the look: figures, dates, icons and components that hold a body.

``{% load look %}``, then ``{{ visit.paid|money }}``, ``{% icon "phone" %}``,
``{% wrap "card" title=_("Visits") %} … {% endwrap %}``.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from core import formats

register = template.Library()

register.filter("phone", formats.phone)
register.filter("day", formats.day)
register.filter("day_long", formats.day_long)
register.filter("moment", formats.moment)
register.filter("clock", formats.clock)
register.filter("duration", formats.duration)
register.filter("compact", formats.compact)
register.filter("compact_money", formats.compact_money)
register.filter("initials", formats.initials)


@register.filter
def money(minor: int | None, currency: str = "RUB") -> str:
    """Kopecks, exact: ``{{ visit.paid|money }}``, ``{{ visit.paid|money:"KZT" }}``."""
    return formats.money(minor, currency)


@register.filter
def money_whole(minor: int | None, currency: str = "RUB") -> str:
    """Kopecks, rounded to whole roubles, for totals and tiles."""
    return formats.money_whole(minor, currency)


@register.filter
def number(value: formats.Number | None, digits: int = 0) -> str:
    """``{{ 1234567|number }}`` -> ``1 234 567``; ``|number:1`` keeps one digit."""
    return formats.number(value, int(digits))


@register.filter
def percent1(share: formats.Number | None) -> str:
    """A fraction with one digit of a percent: ``{{ 0.4755|percent1 }}`` -> ``47,6 %``."""
    return formats.percent(share)


@register.filter
def signed_percent1(share: formats.Number | None) -> str:
    """A change as a fraction, its sign always written: ``+4,2 %``."""
    return formats.percent(share, plus=True)


@register.filter
def signed_money(minor: int | None, currency: str = "RUB") -> str:
    """A change of money in whole roubles, its sign always written."""
    return formats.money_whole(minor, currency, plus=True)


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """A Lucide icon inline; hidden from screen readers unless ``label`` says what it means."""
    said = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    drawing = lucide(str(name), size=int(size), stroke_width="1.75", **said)
    return mark_safe(drawing.replace("<svg", '<svg class="icon"', 1))  # noqa: S308 made by lucide


@register.simple_block_tag(takes_context=True)
def wrap(context: template.Context, content: str, component: str, **inputs: object) -> SafeString:
    """Render ``components/<component>.html`` round the content, which it knows as ``body``.

    The component sees only its named inputs (and the request and CSRF token), so nothing of
    the page leaks into an input that was left out.
    """
    if context.template is None:
        raise RuntimeError("wrap is drawn by a template")
    drawn = context.template.engine.get_template(f"components/{component}.html")
    kept = {key: context[key] for key in ("csrf_token", "request") if key in context}
    return mark_safe(drawn.render(context.new({**kept, **inputs, "body": content})))  # noqa: S308 a template escaped it


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """The present address's query string with some keys changed; None or "" drops a key.

    ``<a href="{% query sort="-paid" after=None %}">`` keeps every filter that is set.
    """
    params = context["request"].GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value not in (None, ""):
            params[key] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag
def switched(on: object, word: str) -> str:
    """The word (a class or an attribute value) when the condition holds, else nothing."""
    return format_html("{}", word) if on else ""
