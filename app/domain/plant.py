"""The plant as people describe it: equipment, connections to machines, tags with limits; what plant.yaml holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.samples import Value, with_limit_bits

# The drivers, and how the address of a connection of theirs may begin.
DRIVERS: dict[str, tuple[str, ...]] = {
    "opcua": ("opc.tcp",),
    "modbus-tcp": ("tcp",),
    "modbus-rtu": ("serial",),
    "mqtt": ("mqtt", "mqtts"),
    "sparkplug": ("mqtt", "mqtts"),
}
PARITIES = ("none", "even", "odd")
SECURITY = ("None", "Basic256Sha256/Sign", "Basic256Sha256/SignAndEncrypt")
ADDRESSING = ("raw", "one-based")
TAKEOVERS = ("auto", "ask", "never")


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine or a station that people know by its code."""

    code: str
    name: str
    area: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a serial line talks (Modbus over serial line V1.02 2.2: even parity and one stop bit are the default)."""

    baud: int = 19200
    parity: str = "even"
    stop_bits: int = 1


@dataclass(frozen=True, slots=True)
class Connection:
    """How one machine is reached. A password is never part of it: it lives in the keyring.

    OPC UA: `security`, and `trusted`, the SHA-256 fingerprint (hex) of the server certificate that a person accepted.
    Modbus: `unit`, `addressing`, `gap` (unwanted registers read along rather than asking twice), `max_words` in one
    request, `line` for RTU; the address of a serial line is serial:///dev/ttyUSB0 or serial://COM3.
    MQTT and Sparkplug B: `qos`, `ca_file` (PEM of the authority to believe, for mqtts), `client_id`, and for plain
    MQTT `status_topic` with the text `status_offline` that the machine's last will leaves there.
    Where stations share a server one of them talks to the machine: `station` is the one that should, `takeover` whether
    another takes its place when it is gone: by itself (auto), when a person says so (ask), or never.
    """

    name: str
    driver: str
    url: str
    security: str = "None"
    trusted: str = ""
    user: str = ""
    unit: int = 1
    addressing: str = "raw"
    gap: int = 16
    max_words: int = 125
    line: SerialLine = SerialLine()
    qos: int = 1
    client_id: str = ""
    ca_file: str = ""
    status_topic: str = ""
    status_offline: str = "offline"
    timeout: float = 4.0
    enabled: bool = True
    takeover: str = "auto"
    station: str = ""


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
class DeviationRule:
    """Alarm when the value is further than this from where it should be: `target` is a number or another tag's name."""

    target: float | str
    warning: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True)
class RateRule:
    """Alarm when the value rises or falls faster, in units per second, judged over `window` seconds."""

    warning: float | None = None
    critical: float | None = None
    window: float = 10.0


@dataclass(frozen=True, slots=True)
class DigitalRule:
    """Alarm while a discrete value (a bit, a state, a text) is one of `values`."""

    values: tuple[bool | int | str, ...]
    critical: bool = False


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """Suppression by design: not shown while the tag `when` has one of `values`, as for a stopped machine."""

    when: str
    values: tuple[bool | int | str, ...]


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """How a tag alarms; priority 1 is the most urgent, every time is in seconds, 0 or None switches a thing off.

    `count` within `window` raises an alarm although each excess was shorter than `on_delay`; `re_alarm` makes an
    acknowledged alarm that is still active ring again; a `latching` alarm also wants a reset. `stale` is the age at
    which a value that stands still alarms. `consequence` and `response` tell the person what it means and what to
    do, `link` where to read more.
    """

    priority: int = 3
    on_delay: float = 0.0
    off_delay: float = 0.0
    hysteresis: float = 0.0
    comm_delay: float = 30.0
    count: int = 0
    window: float = 60.0
    re_alarm: float = 0.0
    latching: bool = False
    stale: float = 0.0
    deviation: DeviationRule | None = None
    rate: RateRule | None = None
    digital: DigitalRule | None = None
    suppress: SuppressionRule | None = None
    consequence: str = ""
    response: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """That a tag may be written at all, and the lowest and highest value allowed, in the tag's unit."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """That a tag counts: `kind` is cycles or run-hours; `rollover` is the value after which the machine starts at 0.

    `running_above` turns an analogue or a running signal into run hours: time counts while the value is above it.
    """

    kind: str = "cycles"
    rollover: float | None = None
    running_above: float | None = None


COUNTERS = ("cycles", "run-hours")


@dataclass(frozen=True, slots=True)
class Tag:
    """One value of one machine: where it comes from, how often it is asked for (`scan`, seconds), when it alarms.

    `discrete` values are drawn in steps and never averaged; `states` names the numbers of an enumeration; a raw
    value in `invalid` means that the sensor is broken; `freshness` is the age in seconds at which the value counts as
    old (0: three scans, but no less than the slowest heartbeat); `writing` is None as long as nobody may write it.
    """

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
    label: str = ""
    discrete: bool = False
    states: tuple[tuple[int, str], ...] = ()
    invalid: tuple[float, ...] = ()
    freshness: float = 0.0
    writing: Writing | None = None
    counter: Counter | None = None

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
    _speakers: dict[tuple[str, str], Tag] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._tags_by_name.update({tag.name: tag for tag in self.tags})
        for tag in self.tags:
            known = self._speakers.setdefault((tag.connection, tag.equipment), tag)
            if known.alarm.suppress is not None and tag.alarm.suppress is None:
                self._speakers[tag.connection, tag.equipment] = tag

    def tag(self, name: str) -> Tag | None:
        """The tag of that name, or None when the plant has no such tag."""
        return self._tags_by_name.get(name)

    def speaks(self, tag: Tag) -> bool:
        """Whether this tag speaks for its machine on its connection: the first there that nothing suppresses."""
        return self._speakers.get((tag.connection, tag.equipment)) is tag

    def tags_of(self, connection: str) -> tuple[Tag, ...]:
        """The tags that come over one connection, in file order."""
        return tuple(tag for tag in self.tags if tag.connection == connection)
