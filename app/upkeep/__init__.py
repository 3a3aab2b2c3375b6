"""Looking after an installation: backups, restoring, a health check."""
