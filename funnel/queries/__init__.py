"""What the pages of the funnel ask, one file a subject."""
