from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from messaging import automations

        automations.register(automations.CONFIRMATION, automations.REMINDER_24H, automations.REMINDER_2H)
