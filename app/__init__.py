"""Everything of Lineside that needs no window: rules, store, drivers, operations, the collector."""
