"""Whether a link was opened by a person: mail filters, messengers and virus scanners open links before people do."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

TOO_SOON = timedelta(seconds=8)  # nobody reads and taps so soon after it was handed over
PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|preview|scan|fetch|monitor|headless|phantom|curl|wget|python|java/|okhttp|go-http|libwww"
    r"|facebookexternalhit|whatsapp|viber|skypeuri|slack|discord|vkshare|telegrambot|googleimageproxy|yahoomailproxy"
    r"|barracuda|mimecast|proofpoint|safelinks|symantec|trendmicro|kaspersky|drweb|bitdefender|fortinet|urlscan",
    re.IGNORECASE,
)


def is_bot(*, method: str, agent: str, purpose: str, sent_at: datetime | None, now: datetime) -> bool:
    """`agent`: the User-Agent; `purpose`: of (Sec-)Purpose, X-Moz; a message that was never sent is opened by nobody."""
    if method != "GET" or not agent or PROGRAMS.search(agent):
        return True
    if "prefetch" in purpose.lower() or "preview" in purpose.lower():
        return True
    return sent_at is None or now - sent_at < TOO_SOON
