from funnel.models.attribution import ChannelMark, Traffic
from funnel.models.booking import (
    BookingRules,
    MisBooking,
    OnlineBooking,
    PhoneCode,
    SlotOffer,
    WaitlistEntry,
)
from funnel.models.call import Call, CallEvent, Operator, TelephonyLine
from funnel.models.consultations import Checklist, Consultation
from funnel.models.handoff import BreakReason, HandoffStep, Relay, RelayTemplate
from funnel.models.ladder import Indication, LadderRules, TierMark
from funnel.models.lead import Alternative, Lead, LeadBooking, LeadStage, LossReason, Stage, StageRule
from funnel.models.public import LeadConsent, LeadForm, LeadHook, LeadPost
from funnel.models.referrals import InternalReferral
from funnel.models.spend import Spend
from funnel.models.steps import FirstStep, FirstStepMark

__all__ = [
    "Alternative",
    "BookingRules",
    "BreakReason",
    "Call",
    "CallEvent",
    "ChannelMark",
    "Checklist",
    "Consultation",
    "FirstStep",
    "FirstStepMark",
    "HandoffStep",
    "Indication",
    "InternalReferral",
    "LadderRules",
    "Lead",
    "LeadBooking",
    "LeadConsent",
    "LeadForm",
    "LeadHook",
    "LeadPost",
    "LeadStage",
    "LossReason",
    "MisBooking",
    "OnlineBooking",
    "Operator",
    "PhoneCode",
    "Relay",
    "RelayTemplate",
    "SlotOffer",
    "Spend",
    "Stage",
    "StageRule",
    "TelephonyLine",
    "TierMark",
    "Traffic",
    "WaitlistEntry",
]
