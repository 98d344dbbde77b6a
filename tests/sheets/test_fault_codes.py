"""Every code that reading can utter is published, and nothing else is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from app.domain.imports.codes import CELL_FAULTS, FILE_FAULTS

APP = Path(__file__).resolve().parents[2] / "app"
READING = [
    *(APP / "sheets").glob("*.py"),
    *(APP / "domain" / "imports" / "cells").glob("*.py"),
    APP / "domain" / "imports" / "layout.py",
    APP / "domain" / "imports" / "sifting.py",
]
#: Those of a number's own checks, passed on as they are.
OF_NUMBERS = APP / "domain" / "identity.py"
PLACE_OF_CODE = {"CellFault": 0, "SheetFault": 0, "HeaderFault": 0, "RowFault": 1, "IdentityFault": 0}


def uttered(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACE_OF_CODE:
            place = PLACE_OF_CODE[node.func.id]
            if len(node.args) > place and isinstance(code := node.args[place], ast.Constant):
                yield node.func.id, str(code.value)


def test_whole_files() -> None:
    codes = {code for path in READING for fault, code in uttered(path) if fault in ("SheetFault", "HeaderFault")}
    assert codes == FILE_FAULTS.keys()


def test_rows_and_cells() -> None:
    codes = {code for path in READING for fault, code in uttered(path) if fault in ("CellFault", "RowFault")}
    of_numbers = {code for _, code in uttered(OF_NUMBERS)}
    assert codes <= CELL_FAULTS.keys()
    assert CELL_FAULTS.keys() <= codes | of_numbers
