from funnel.models.attribution import ChannelMark, Traffic
from funnel.models.lead import Alternative, Lead, LeadBooking, LeadStage, LossReason, Stage, StageRule
from funnel.models.spend import Spend

__all__ = [
    "Alternative",
    "ChannelMark",
    "Lead",
    "LeadBooking",
    "LeadStage",
    "LossReason",
    "Spend",
    "Stage",
    "StageRule",
    "Traffic",
]
