"""Pure arithmetic of this room."""
