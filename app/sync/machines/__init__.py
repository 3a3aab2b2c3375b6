"""Machines that stations share: who talks to which, live values and alarms of others, samples on the server."""
