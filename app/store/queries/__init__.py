"""Read models: what each screen and each `lineside list` shows, asked on read-only sessions."""
