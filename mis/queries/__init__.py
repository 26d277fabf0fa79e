"""What imports ask: files and jobs."""
