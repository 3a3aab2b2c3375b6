"""Photos and files between this station and the server: sent and fetched behind everything else, always verified."""
