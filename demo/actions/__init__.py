"""Fills the demo clinic. Imported as `from demo import actions`."""

from demo.actions.clinic import DemoDataRefused, fill, is_empty, people_of_the_demo
from demo.actions.inbox import tell_replies
from demo.actions.leads import tell_leads
from demo.actions.outreach import tell_outreach

__all__ = ["DemoDataRefused", "fill", "is_empty", "people_of_the_demo", "tell_leads", "tell_outreach", "tell_replies"]
