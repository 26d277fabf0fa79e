"""Pure arithmetic of the funnel."""
