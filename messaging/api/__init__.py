"""The API doors of this room."""

from messaging.api.messages import MESSAGE_DOOR
from messaging.api.templates import TemplateListView, TemplateView

DOORS = (MESSAGE_DOOR,)

__all__ = ["DOORS", "TemplateListView", "TemplateView"]
