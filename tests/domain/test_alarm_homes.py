"""Alarms of the Lineside on one station have a name of their own on all others; those of machines have one name."""

from __future__ import annotations

from app.domain.alarms import Kind, alarm_words, at_station, home_of, split_key, system_key
from app.domain.plant import Plant


def test_only_alarms_of_a_station_itself_name_it() -> None:
    assert at_station(system_key("disk"), "07") == "system!disk@07"
    assert at_station("system!disk@07", "08") == "system!disk@07"
    assert at_station("OVEN-2/temperature", "07") == "OVEN-2/temperature"
    assert home_of("system!disk@07") == ("system!disk", "07")
    assert home_of("system!disk") == ("system!disk", "")
    assert home_of("M/a@b") == ("M/a@b", "")
    assert split_key("system!disk@07") == ("", Kind.SYSTEM)


def test_an_alarm_of_another_station_says_so_in_words() -> None:
    assert alarm_words("system!disk-full@07", Plant()) == "Lineside on 07: disk full"
    assert alarm_words("system!disk-full", Plant()) == "Lineside: disk full"
