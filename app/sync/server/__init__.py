"""What the owner of a shared server does: make it, upgrade it, add and remove stations, look after it."""
