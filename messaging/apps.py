from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from messaging import automations
        from messaging.queries.inbox import waiting_count
        from staff.context import COUNTS

        COUNTS["messaging:inbox"] = waiting_count
        automations.register_all(automations)
