"""Sharing one PostgreSQL server with other stations: joining it, logging in, sending, receiving."""
