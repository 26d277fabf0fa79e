"""What goes out and comes back: the outbox, what the contact policy asks, the texts, the switches, replies."""

from messaging.models.inbound import Reply, TelegramChat, TelegramCode
from messaging.models.outbox import DeliveryEvent, MailboxItem, Message
from messaging.models.policy import Approval, Budget, PatientBudget, PromotionHold, Suppression
from messaging.models.settings import AutomationSetting, Heartbeat, TransportSetting
from messaging.models.texts import LinkClick, Picture, Template
from messaging.models.tries import TransportMinute

__all__ = [
    "Approval",
    "AutomationSetting",
    "Budget",
    "DeliveryEvent",
    "Heartbeat",
    "LinkClick",
    "MailboxItem",
    "Message",
    "PatientBudget",
    "Picture",
    "PromotionHold",
    "Reply",
    "Suppression",
    "TelegramChat",
    "TelegramCode",
    "Template",
    "TransportMinute",
    "TransportSetting",
]
