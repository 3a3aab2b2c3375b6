"""Item models over the queries of the store, and how values become words."""
