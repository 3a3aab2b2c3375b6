"""Everything that a person or the plant can make happen: one typed function each, all through the one door."""
