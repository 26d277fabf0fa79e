"""What goes out: the outbox itself, the texts, the switches, and what the provider reported."""

from messaging.models.outbox import DeliveryEvent, MailboxItem, Message
from messaging.models.settings import AutomationSetting, Heartbeat, Template, TransportSetting

__all__ = [
    "AutomationSetting",
    "DeliveryEvent",
    "Heartbeat",
    "MailboxItem",
    "Message",
    "Template",
    "TransportSetting",
]
