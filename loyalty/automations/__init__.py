"""Who is invited to come again: `recall` by a date, `adverts` with a person's approval."""
