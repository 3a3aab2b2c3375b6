"""Reads CSV in the encodings and with the delimiters that spreadsheet programs of different countries write."""

from __future__ import annotations

import csv
import re
from collections import Counter
from io import StringIO

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, RawSheet

_DELIMITERS = ";,\t|"
# So a CSV file keeps a text that a spreadsheet would run as a formula; ours do, and those of careful programs.
_QUOTED_FORMULAS = ("'=", "'+", "'-", "'@")
_BEFORE_AFTER_LETTER = r"(?<=[^\W\d_])[{0}]|[{0}](?=[^\W\d_])"
# Polish and Czech letters of cp1250 that cp1252 shows as signs or as letters that no neighbour language puts there.
_ONLY_1250 = re.compile(
    _BEFORE_AFTER_LETTER.format("¹³¿Ÿ£¯¥¼¾ìøò") + "|œ(?!u|il|st|no|v)|(?<=[^\\W\\d_])æ(?=[^\\W\\d_]?\\b)"
)
_NORDIC = re.compile(r"[åÅ]|øy|ør|øk|øl|æn|ær")


def harmless(text: str) -> str:
    """The text as a CSV file keeps it, so that no spreadsheet runs it as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def decoded(content: bytes) -> tuple[str, str]:
    """(text, encoding): a byte order mark decides, then valid UTF-8, then cp1250 or cp1252 by their letters."""
    if content.startswith(b"\xef\xbb\xbf"):
        return content.decode("utf-8-sig"), "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), "utf-16"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    western = content.decode("cp1252", errors="replace")
    if len(_ONLY_1250.findall(western)) > len(_NORDIC.findall(western)):
        return content.decode("cp1250", errors="replace"), "cp1250"
    if "\ufffd" in western:
        return content.decode("latin-1"), "latin-1"
    return western, "cp1252"


def find_delimiter(text: str) -> str:
    """The delimiter by which the first lines fall into the most equal columns; a comma when nothing divides them."""
    sample = "\n".join(text.splitlines()[:60])
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(StringIO(sample), delimiter=delimiter) if row]
        except csv.Error:
            continue
        width, lines = (
            Counter(width for width in widths if width > 1).most_common(1)[0]
            if max(widths, default=0) > 1
            else (1, 0)
        )
        score = lines / max(len(widths), 1) * min(width, 8) if width > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read_delimited(file: str, name: str, content: bytes, most_rows: int, most_columns: int) -> RawSheet:
    """All cells are text. Raises Refused when the file is no text or has too many rows or columns."""
    try:
        text, _ = decoded(content)
    except UnicodeDecodeError:
        raise Refused(f"“{file}” is damaged: its text cannot be decoded.", field="file") from None
    if "\x00" in text[:100_000] or text.startswith("%PDF") or _control_share(text[:4096]) > 0.02:
        raise Refused(f"“{file}” is neither a workbook nor a CSV file.", field="file")
    delimiter = ""
    if text[:4].lower() == "sep=":
        first, _, text = text.partition("\n")
        delimiter = first[4:].strip("\r") or "\t"
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=(delimiter or find_delimiter(text))[0]):
            rows.append([cell[1:] if cell.startswith(_QUOTED_FORMULAS) else cell for cell in row])
            if len(rows) > most_rows or len(row) > most_columns:
                raise Refused(
                    f"“{file}” is larger than {most_rows:,} rows or {most_columns} columns.", field="file"
                )
    except csv.Error as error:
        raise Refused(f"“{file}” is not a readable CSV file: {error}.", field="file") from error
    while rows and not any(isinstance(cell, str) and cell.strip() for cell in rows[-1]):
        rows.pop()
    return RawSheet(name, rows)


def _control_share(text: str) -> float:
    odd = sum(1 for letter in text if ord(letter) < 32 and letter not in "\r\n\t\f")
    return odd / max(len(text), 1)
