"""A workshop to look around in: people, orders and inspections made through the door, and a simulated plant."""
