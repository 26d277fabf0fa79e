"""The pages of the funnel, one file a subject."""
