"""Pure arithmetic of pages: periods and how they are compared, tables with typed columns."""
