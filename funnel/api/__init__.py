from funnel.api.spend import SPEND_DOOR

DOORS = (SPEND_DOOR,)
