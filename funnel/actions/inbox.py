"""A message out of the blue from somebody we do not know is an enquiry, as a call or a form is (R89)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from funnel.actions.incoming import OPEN_FOR, OPEN_STAGES, Enquiry, answer_lead, take_lead
from funnel.models import Lead
from messaging.models.inbound import Reply
from patients.models.person import Transport
from staff.access import SYSTEM
from staff.models.base import OWN_SOURCE

LOOK_BACK = timedelta(days=3)  # a worker that was away for longer left the inbox to people
AT_ONCE = 200
HAVE_PHONES = frozenset({Transport.SMS.value, Transport.CALL.value})


def leads_from_inbox(*, now: datetime) -> int:
    """Each such message is one lead, once; how many were made. An answer given in the inbox answers its lead.

    Whose address is one of a patient's (`owners`), is no stranger: a family's phone is for a person to decide.
    """
    fresh = _strangers().filter(~Exists(_lead_of()), received_at__gte=now - LOOK_BACK, received_at__lte=now)
    made = 0
    for reply in fresh.order_by("id")[:AT_ONCE]:
        if not _goes_on(reply):
            take_lead(enquiry=_enquiry(reply), by=SYSTEM, now=now)
            made += 1
    _answer(now)
    return made


def _strangers() -> QuerySet[Reply]:
    code = Concat(Value("reply:"), Cast("pk", CharField()), output_field=CharField())
    return Reply.objects.filter(patient=None, owners=None, meaning=Reply.Meaning.OTHER).annotate(code=code)


def _lead_of() -> QuerySet[Lead]:
    return Lead.objects.filter(source=OWN_SOURCE, external_id=OuterRef("code"))


def _goes_on(reply: Reply) -> bool:
    """Whether a chat goes on whose lead was open then. (By a phone or an e-mail `take_lead` itself knows the person.)"""
    if reply.transport in HAVE_PHONES or reply.transport == Transport.EMAIL:
        return False
    before = Reply.objects.filter(transport=reply.transport, address=reply.address, pk__lt=reply.pk)
    codes = [f"reply:{pk}" for pk in before.order_by("-pk").values_list("pk", flat=True)[:AT_ONCE]]
    at = reply.received_at
    open_then = Q(lost_at=None) | Q(lost_at__gte=at), Q(stage__in=OPEN_STAGES) | Q(stage_at__gte=at)
    return Lead.objects.filter(
        *open_then, source=OWN_SOURCE, external_id__in=codes, is_spam=False, created_at__gte=at - OPEN_FOR
    ).exists()


def _enquiry(reply: Reply) -> Enquiry:
    mail = reply.transport == Transport.EMAIL
    return Enquiry(
        kind=Lead.Kind.EMAIL if mail else Lead.Kind.MESSENGER,
        created_at=reply.received_at,
        external_id=f"reply:{reply.pk}",
        phone=reply.address if reply.transport in HAVE_PHONES else "",
        email=reply.address if mail else "",
        text=reply.text,
        door="email" if mail else "messenger",
    )


def _answer(now: datetime) -> None:
    """Leads of messages that were answered in the inbox since: at the moment of that answer, by who gave it."""
    waiting = Lead.objects.filter(
        source=OWN_SOURCE, external_id=OuterRef("code"), first_response_at=None, lost_at=None, is_spam=False
    )
    answered = _strangers().filter(
        Exists(waiting), answered_at__isnull=False, answered_by__isnull=False, received_at__gte=now - OPEN_FOR
    )
    replies = {reply.code: reply for reply in answered.select_related("answered_by").order_by("id")[:AT_ONCE]}  # type: ignore[attr-defined]
    for lead in Lead.objects.filter(source=OWN_SOURCE, external_id__in=replies):
        reply = replies[lead.external_id]
        answer_lead(lead=lead, by=SYSTEM, now=now, at=reply.answered_at, user=reply.answered_by)
