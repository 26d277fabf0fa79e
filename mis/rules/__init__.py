"""Arithmetic and tables of imports: no database, no clock."""
