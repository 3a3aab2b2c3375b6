"""The plant as people describe it: equipment, connections to machines, tags with limits; what plant.yaml holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.samples import Value, with_limit_bits

DRIVERS: dict[str, str] = {
    "opcua": "opc.tcp",
    "modbus-tcp": "tcp",
    "mqtt": "mqtt",
}
SECURITY = ("None", "Basic256Sha256/Sign", "Basic256Sha256/SignAndEncrypt")
ADDRESSING = ("raw", "one-based")


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine or a station that people know by its code."""

    code: str
    name: str
    area: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """How one machine is reached; `unit` and `addressing` matter for Modbus, `security` and `user` for OPC UA."""

    name: str
    driver: str
    url: str
    security: str = "None"
    user: str = ""
    unit: int = 1
    addressing: str = "raw"
    timeout: float = 4.0
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class DeadbandRule:
    """How far a value must move to be stored: absolute in the tag's unit, or percent of its range."""

    amount: float = 0.0
    percent: bool = False
    min_interval: float = 0.0
    max_interval: float = 600.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear scale from raw counts to engineering units: EU = lo + (raw - rawLo)·(hi - lo)/(rawHi - rawLo)."""

    raw_lo: float
    raw_hi: float
    eu_lo: float
    eu_hi: float
    clamp: bool = False

    def apply(self, raw: Value, quality: int) -> tuple[Value, int]:
        """The value in engineering units; a clamped value carries the limit bits in its quality."""
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            return raw, quality
        eu = self.eu_lo + (raw - self.raw_lo) * (self.eu_hi - self.eu_lo) / (self.raw_hi - self.raw_lo)
        if not self.clamp:
            return eu, quality
        low, high = sorted((self.eu_lo, self.eu_hi))
        if eu < low:
            return low, with_limit_bits(quality, low=True)
        if eu > high:
            return high, with_limit_bits(quality, high=True)
        return eu, quality


@dataclass(frozen=True, slots=True)
class Limits:
    """Alarm limits in the tag's unit; `hi`/`lo` warn, `hihi`/`lolo` are critical."""

    hihi: float | None = None
    hi: float | None = None
    lo: float | None = None
    lolo: float | None = None

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.hihi, self.hi, self.lo, self.lolo))


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """How the limits of a tag alarm; priority 1 is the most urgent, delays are seconds."""

    priority: int = 3
    on_delay: float = 0.0
    off_delay: float = 0.0
    hysteresis: float = 0.0
    comm_delay: float = 30.0


@dataclass(frozen=True, slots=True)
class Tag:
    """One value of one machine: where it comes from, how often it is asked for (`scan`, seconds), when it alarms."""

    name: str
    equipment: str
    connection: str
    address: str
    unit: str = ""
    scan: float = 1.0
    deadband: DeadbandRule = DeadbandRule()
    scale: Scale | None = None
    limits: Limits = Limits()
    alarm: AlarmSettings = AlarmSettings()

    def span(self) -> tuple[float, float] | None:
        """The range that a percent deadband refers to: the scale's, else the outermost limits."""
        if self.scale is not None:
            return self.scale.eu_lo, self.scale.eu_hi
        limits = self.limits
        known = [x for x in (limits.lolo, limits.lo, limits.hi, limits.hihi) if x is not None]
        return (min(known), max(known)) if len(known) > 1 else None


@dataclass(frozen=True, slots=True)
class Plant:
    """Everything that the collector needs to know; names are unique and every reference leads somewhere."""

    equipment: tuple[Equipment, ...] = ()
    connections: tuple[Connection, ...] = ()
    tags: tuple[Tag, ...] = ()
    _tags_by_name: dict[str, Tag] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._tags_by_name.update({tag.name: tag for tag in self.tags})

    def tag(self, name: str) -> Tag | None:
        """The tag of that name, or None when the plant has no such tag."""
        return self._tags_by_name.get(name)

    def tags_of(self, connection: str) -> tuple[Tag, ...]:
        """The tags that come over one connection, in file order."""
        return tuple(tag for tag in self.tags if tag.connection == connection)


def parse_plant(text: str) -> Plant:
    """The plant that `text` (plant.yaml) describes; raises Refused with the place of the first mistake."""
    from app.domain.plant_file import parse

    return parse(text)


def dump_plant(plant: Plant) -> str:
    """The text of a plant.yaml that `parse_plant` turns back into an equal plant."""
    from app.domain.plant_file import dump

    return dump(plant)
