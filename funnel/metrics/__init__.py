"""Acquisition and conversion: M09, M19 to M23, M27, M31, M32."""

from funnel.metrics.cost import SPENT, UNKNOWN, cac, cac_facts, cac_row, spend_facts, spend_values

__all__ = ["SPENT", "UNKNOWN", "cac", "cac_facts", "cac_row", "spend_facts", "spend_values"]
