"""The collector: keeps machines connected, stores their values, judges alarms, and tells the desktops."""
