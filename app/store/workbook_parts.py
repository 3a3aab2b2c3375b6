"""What calamine does not tell about an .xlsx: errors, formulas without a stored result, numbers shown with zeros."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree
from zipfile import ZipFile

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, CellFault, column_letter

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FAR = re.compile(rb'<(?:\w+:)?c r="([A-Z]{2,}\d+|[A-Z]\d{6,})"[^>]*(?<!/)>')
_CELL = re.compile(rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"([^>]*?)(?<!/)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)</")
_STYLE = re.compile(rb'\bs="(\d+)"')
_ZEROS = re.compile(r"0{2,}")

_UNCACHED = CellFault(
    "=", "It is a formula without a stored result; open the file in the spreadsheet program and save it."
)


def sheet_parts(archive: ZipFile) -> dict[str, str]:
    """Sheet name → its XML part; empty when the archive is no .xlsx."""
    names = set(archive.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return {}
    targets = {
        relation.get("Id", ""): relation.get("Target", "")
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    parts: dict[str, str] = {}
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION, ""), "")
        part = (
            target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        )
        if part in names:
            parts[sheet.get("name", "")] = part
    return parts


def zero_padded_styles(archive: ZipFile) -> dict[int, int]:
    """Cell style → digits, for number formats such as 00000, under which 123 is shown as 00123."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    root = ElementTree.fromstring(archive.read("xl/styles.xml"))
    formats = {
        entry.get("numFmtId", ""): len(code)
        for entry in root.iter(f"{_MAIN}numFmt")
        if _ZEROS.fullmatch(code := entry.get("formatCode", "").split(";")[0])
    }
    styles = root.find(f"{_MAIN}cellXfs")
    if styles is None or not formats:
        return {}
    return {
        place: formats[style.get("numFmtId", "")]
        for place, style in enumerate(styles)
        if style.get("numFmtId", "") in formats
    }


def refuse_far_cells(file: str, sheet: str, xml: bytes, rows: int, columns: int, cells: int) -> None:
    """A lone value in XFD1048576 makes a dense table of 17 billion cells; raises Refused before that is tried."""
    last_row = last_column = 0
    for match in _FAR.finditer(xml):
        letters = match[1].rstrip(b"0123456789")
        last_row = max(last_row, int(match[1][len(letters) :]))
        last_column = max(last_column, column_index(letters) + 1)
    if last_row > rows or last_column > columns or last_row * last_column > cells:
        raise Refused(
            f"Sheet “{sheet}” of “{file}” reaches to cell {column_letter(last_column - 1)}{last_row}; "
            f"at most {rows:,} rows and {columns} columns are read.",
            field="file",
        )


def column_index(letters: bytes) -> int:
    """b"A" → 0, b"AA" → 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def faulty_cells(
    xml: bytes, padded: Mapping[int, int], rows: Sequence[Sequence[Cell]]
) -> Iterator[tuple[tuple[int, int], Cell]]:
    """((row, column) from 0, what the cell really is) for errors, uncached formulas and zero-padded numbers."""
    errors = b't="e"' in xml
    if not errors and not padded and not _FORMULA.search(xml):
        return
    for match in _CELL.finditer(xml):
        attributes, inner = match[3], match[4]
        replacement: Cell | None = None
        if errors and b't="e"' in attributes:
            value = _VALUE.search(inner)
            text = value[1].decode() if value else "#ERROR"
            replacement = CellFault(text, f"The spreadsheet shows the error {text} here.")
        elif b"<f" in inner or b":f" in inner:
            value = _VALUE.search(inner)
            if b't="str"' not in attributes and (value is None or not value[1]):
                replacement = _UNCACHED
        place = (int(match[2]) - 1, column_index(match[1]))
        if replacement is None and padded and (style := _STYLE.search(attributes)):
            replacement = _padded_text(padded.get(int(style[1]), 0), place, rows)
        if replacement is not None:
            yield place, replacement


def _padded_text(digits: int, place: tuple[int, int], rows: Sequence[Sequence[Cell]]) -> str | None:
    row, column = place
    if not digits or row >= len(rows) or column >= len(rows[row]):
        return None
    cell = rows[row][column]
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell == int(cell) and cell >= 0:
        return str(int(cell)).zfill(digits)
    return None
