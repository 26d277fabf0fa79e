from funnel.actions.spend import SPEND, AlreadyTakenBack, add_spend, record_spend, take_back_spend

__all__ = ["SPEND", "AlreadyTakenBack", "add_spend", "record_spend", "take_back_spend"]
