"""The fields of a connection for each protocol, and how they become a connection and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import ADDRESSING, PARITIES, SECURITY, TAKEOVERS, Connection, SerialLine
from ui.widgets.fields import Value
from ui.widgets.form import Form

HELP = {
    "opcua": "The address stands in the controller's OPC UA settings, for example opc.tcp://192.168.0.10:4840. "
    "Start with security None to see whether it talks, then choose encryption and the machine's user.",
    "modbus-tcp": "The host is the device's IP address; the port is nearly always 502. The unit matters behind "
    "a gateway; a device of its own mostly answers to 1 or 255. If its manual counts registers from 1, choose "
    "“from 1”.",
    "modbus-rtu": "Speed, parity and stop bits must be those of the device; its manual or display names them. "
    "All devices on one line share them and differ by their unit.",
    "mqtt": "The broker's host and port: 1883 plain, 8883 with TLS. Topics show up as soon as something is "
    "published. If the machine leaves a word on a topic when it goes off (its last will), name both.",
    "sparkplug": "The broker's host and port: 1883 plain, 8883 with TLS. Machines that speak Sparkplug B "
    "announce their values by themselves.",
}
_SECURITY = tuple((s, "None (not encrypted)" if s == "None" else s.replace("/", " · ")) for s in SECURITY)
_ADDRESSING = tuple((a, {"raw": "from 0", "one-based": "from 1"}[a]) for a in ADDRESSING)
_PARITIES = tuple((p, p) for p in PARITIES)
_TAKEOVER_WORDS = {
    "auto": "another takes over by itself",
    "ask": "a person decides (Take over…)",
    "never": "nobody takes over",
}
_TAKEOVERS = tuple((t, _TAKEOVER_WORDS[t]) for t in TAKEOVERS)
_BAUDS = ("1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200")
_PORTS = {"opcua": 4840, "modbus-tcp": 502, "mqtt": 1883, "sparkplug": 1883}
_FIELD_OF = {"url": ("url", "host", "port_name"), "line": ("baud",)}


def build_form(driver: str, serial_ports: list[str], *, shared: bool = False) -> Form:
    """An empty form of the fields that this protocol needs, with its usual values.

    `shared` asks as well which of the stations that share a server talks to the machine.
    """
    form = Form(submit_text="Next", cancel_text="")
    form.submit_button.hide()
    form.add_text("name", "Name", hint="for example oven-plc")
    _BUILDERS[driver](form, serial_ports)
    timeout = form.add_decimal("timeout", "Patience, s")
    timeout.setToolTip("How long to wait for an answer before the machine counts as gone.")
    form.set_values({"timeout": "4"})
    if shared:
        _stations(form)
    return form


def _stations(form: Form) -> None:
    station = form.add_text("station", "Station that reads it", hint="empty: the first that is there")
    station.setToolTip("One station talks to the machine; all others see its values through the server.")
    takeover = form.add_choice("takeover", "When that station is gone", _TAKEOVERS)
    takeover.setToolTip(
        "Gone means: not seen by the server for two minutes. Another station takes over by itself only where the "
        "machine answers it."
    )
    form.set_values({"takeover": "auto"})


def _opcua(form: Form, _: list[str]) -> None:
    form.add_text("url", "Address", hint="opc.tcp://192.168.0.10:4840")
    form.add_choice("security", "Security", _SECURITY)
    _login(form)
    form.set_values({"security": "None"})


def _login(form: Form) -> None:
    form.add_text("user", "User", hint="empty: nobody in particular")
    form.add_text("password", "Password", secret=True, hint="kept in this computer's keyring")


def _modbus_rest(form: Form) -> None:
    form.add_whole("unit", "Unit", high=255)
    form.add_choice("addressing", "Registers are counted", _ADDRESSING)
    form.add_whole("gap", "Read along, registers", high=125)
    form.add_whole("max_words", "At most in one request", low=1, high=125)
    form.set_values({"unit": 1, "addressing": "raw", "gap": 16, "max_words": 125})


def _modbus_tcp(form: Form, _: list[str]) -> None:
    form.add_text("host", "Host", hint="192.168.0.20")
    form.add_whole("port", "Port", low=1, high=65535).setGroupSeparatorShown(False)
    form.set_values({"port": 502})
    _modbus_rest(form)


def _modbus_rtu(form: Form, serial_ports: list[str]) -> None:
    found = ", ".join(serial_ports[:4])
    field = form.add_text("port_name", "Serial port", hint="/dev/ttyUSB0 or COM3")
    field.setToolTip(f"Found on this computer: {found}." if found else "No serial port was found here.")
    if serial_ports:
        form.set_values({"port_name": serial_ports[0]})
    form.add_choice("baud", "Speed, baud", tuple((b, b) for b in _BAUDS))
    form.add_choice("parity", "Parity", _PARITIES)
    form.add_choice("stop_bits", "Stop bits", (("1", "1"), ("2", "2")))
    form.set_values({"baud": "19200", "parity": "even", "stop_bits": "1"})
    _modbus_rest(form)


def _broker(form: Form, _: list[str]) -> None:
    form.add_text("host", "Broker", hint="broker.local")
    form.add_whole("port", "Port", low=1, high=65535).setGroupSeparatorShown(False)
    form.add_tick("tls", "Encrypted (TLS)")
    form.add_text("ca_file", "Authority (PEM file)", hint="empty: those this computer trusts")
    _login(form)
    form.add_text("client_id", "Client id", hint="empty: chosen by Lineside")
    form.add_choice("qos", "Quality of service", (("0", "0"), ("1", "1"), ("2", "2")))
    form.set_values({"port": 1883, "qos": "1"})


def _mqtt(form: Form, ports: list[str]) -> None:
    _broker(form, ports)
    form.add_text("status_topic", "Topic of the last will", hint="plant/oven2/status")
    form.add_text("status_offline", "… and its word for “gone”")
    form.set_values({"status_offline": "offline"})


_BUILDERS = {
    "opcua": _opcua,
    "modbus-tcp": _modbus_tcp,
    "modbus-rtu": _modbus_rtu,
    "mqtt": _mqtt,
    "sparkplug": _broker,
}


def fill_form(form: Form, connection: Connection) -> None:
    """Show a connection that is there."""
    c, known = connection, form.values()
    parts = urlsplit(c.url)
    shown: dict[str, Value] = {
        "name": c.name, "url": c.url, "host": parts.hostname or "",
        "port": parts.port if c.driver != "modbus-rtu" and parts.port else _PORTS.get(c.driver, 1),
        "port_name": c.url.removeprefix("serial://"), "security": c.security, "user": c.user, "unit": c.unit,
        "addressing": c.addressing, "gap": c.gap, "max_words": c.max_words, "baud": str(c.line.baud),
        "parity": c.line.parity, "stop_bits": str(c.line.stop_bits), "tls": parts.scheme == "mqtts",
        "ca_file": c.ca_file, "client_id": c.client_id, "qos": str(c.qos), "status_topic": c.status_topic,
        "status_offline": c.status_offline, "timeout": f"{c.timeout:g}",
        "station": c.station, "takeover": c.takeover,
    }  # fmt: skip
    form.set_values({key: value for key, value in shown.items() if key in known})


def read_form(form: Form, driver: str, present: Connection | None) -> Connection:
    """The connection that the fields say; raises Refused with the field that is wrong."""
    values = form.values()
    name = str(values["name"] or "")
    if not name:
        raise Refused("Give the connection a name.", field="name")
    if not values.get("url", values.get("host", values.get("port_name"))):
        raise Refused(
            "Say where the machine is.", field=next(iter(set(values) & {"url", "host", "port_name"}))
        )
    timeout = values["timeout"]
    if not isinstance(timeout, Decimal) or timeout <= 0:
        raise Refused("Give a number of seconds, like 4.", field="timeout")
    kept = present if present is not None and present.driver == driver else None
    rest: dict[str, Any] = {k: values[k] for k in _SAME if k in values}
    if "qos" in values:
        rest["qos"] = int(str(values["qos"]))
    if "baud" in values:
        rest["line"] = SerialLine(
            int(str(values["baud"])), str(values["parity"]), int(str(values["stop_bits"]))
        )
    return Connection(
        name,
        driver,
        _url(driver, values),
        trusted=kept.trusted if kept else "",
        timeout=float(timeout),
        enabled=kept.enabled if kept else True,
        takeover=str(values.get("takeover") or (present.takeover if present else "auto")),
        station=str(values["station"] or "") if "station" in values else present.station if present else "",
        **rest,
    )


_SAME = (
    "security", "user", "unit", "addressing", "gap", "max_words", "ca_file", "client_id", "status_topic",
    "status_offline",
)  # fmt: skip


def _url(driver: str, values: dict[str, Value]) -> str:
    if driver == "opcua":
        url = str(values["url"])
        return url if "://" in url else f"opc.tcp://{url}"
    if driver == "modbus-rtu":
        return f"serial://{values['port_name']}"
    scheme = {"modbus-tcp": "tcp"}.get(driver, "mqtts" if values.get("tls") else "mqtt")
    host = str(values["host"])
    return f"{scheme}://[{host}]:{values['port']}" if ":" in host else f"{scheme}://{host}:{values['port']}"


def field_of(place: str | None, form: Form) -> str | None:
    """The form's field for a place such as “oven-plc.line.baud”; None when it has none."""
    known = form.values()
    for word in reversed((place or "").split(".")):
        for key in _FIELD_OF.get(word, (word,)):
            if key in known:
                return key
    return None
