"""Names and labels come from other stations; a terminal that shows them must not obey them."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import Refused
from ui.cli import root, session

EVIL = "\x1b]0;mine\x07\x1b[2Jred\x9b31m\r\u202egnp.exe\x00"


def test_a_label_clears_no_screen_and_turns_no_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.SESSION, "as_json", False)
    session.say_rows([{"label": EVIL, "actor": f"a\n{EVIL}"}], {"label": "Label", "actor": "Who"}, "")
    session.say(None, f"Done: {EVIL}\nnext\tline")
    shown = capsys.readouterr().out
    assert shown.count("\n") == 4
    assert all(sign.isprintable() or sign in "\n\t" for sign in shown)


def test_json_keeps_every_sign_and_shows_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.SESSION, "as_json", True)
    session.say({"label": EVIL}, "")
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"label": EVIL}
    assert all(sign.isprintable() or sign == "\n" for sign in shown)


def test_what_is_refused_is_said_as_tamely(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refused(f"{EVIL} is locked.")

    monkeypatch.setattr(root, "root", refuse)
    assert root.run(["list", "users"]) == 1
    assert "\x1b" not in capsys.readouterr().err
