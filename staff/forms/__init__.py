"""The shape of what is typed on this room's pages."""
