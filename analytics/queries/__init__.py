"""Reads that span metrics, or feed one page."""
