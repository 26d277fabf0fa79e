"""Reads that join the patient's facts with what higher rooms know of him."""
