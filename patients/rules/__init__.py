"""Pure arithmetic and tables of allowed moves of this room: no database, clock or settings."""
