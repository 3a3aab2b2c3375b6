"""The collector as a service of systemd: the text of its unit, for one data folder and one account."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNIT_NAME = "lineside-collector.service"

_TEMPLATE = """\
[Unit]
Description=Lineside collector for {folder}
Documentation=man:systemd.service(5)
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
{account}Environment={environment}
ExecStart={command}
Restart=always
RestartSec=2
WatchdogSec=30
TimeoutStopSec=15
KillSignal=SIGTERM
UMask=0077

# What the collector does not need, it cannot do.
NoNewPrivileges=yes
{hardening}LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy={target}
"""

# These need a manager with the rights of the system; a person's own may not set them up. No ProtectClock and no
# PrivateDevices: both close the serial ports.
_HARDENING = """\
ProtectSystem=strict
ReadWritePaths={folder}
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectHostname=yes
"""


@dataclass(frozen=True, slots=True)
class Service:
    """What is to run, for whom; `account` is empty for a service of the person who installs it."""

    command: Sequence[str]
    folder: Path
    account: str = ""

    def unit(self) -> str:
        """The text of the unit."""
        folder = _escaped(str(self.folder))
        return _TEMPLATE.format(
            folder=folder,
            account=f"User={self.account}\n" if self.account else "",
            environment=_quoted(f"LINESIDE_DATA_DIR={self.folder}"),
            command=" ".join(_quoted(word) for word in self.command),
            hardening=_HARDENING.format(folder=_quoted(str(self.folder))) if self.account else "",
            target="multi-user.target" if self.account else "default.target",
        )


def _escaped(text: str) -> str:
    """A percent sign opens a specifier in a unit file."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """A word of a command line as systemd splits it (systemd.syntax(7)): double quotes, backslash escapes."""
    if word and shlex.quote(word) == word and "%" not in word:
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(escaped)}"'.replace("$", "$$")
