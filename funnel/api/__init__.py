from funnel.api.calls import CALL_DOOR
from funnel.api.leads import LEAD_DOOR
from funnel.api.spend import SPEND_DOOR
from funnel.api.traffic import TRAFFIC_DOOR

DOORS = (
    CALL_DOOR,
    LEAD_DOOR,
    SPEND_DOOR,
    TRAFFIC_DOOR,
)
