"""A believable clinic, told by a seed: rows in the exchange format, fit for the same doors that an MIS uses."""

from demo.clinic.tale import Tale, tell

__all__ = ["Tale", "tell"]
