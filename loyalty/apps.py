from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    verbose_name = _("Loyalty")

    def ready(self) -> None:
        from loyalty.automations import adverts, recall
        from messaging.automations import register_all

        register_all(recall)
        register_all(adverts)
