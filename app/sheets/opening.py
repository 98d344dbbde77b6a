"""Opening a file by what it is."""

from __future__ import annotations

from pathlib import PurePath
from typing import BinaryIO

from app.sheets.delimited import DelimitedSheet
from app.sheets.detection import FIRST_BYTES, format_of, is_encrypted_workbook, refuse_encrypted
from app.sheets.model import Fits, Sheet, SheetFault, SheetLimits
from app.sheets.spreadsheet import open_workbook

_NO_LIMITS_OF_ITS_OWN = SheetLimits()
_ENDINGS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".et", ".csv", ".txt", ".ods", ".doc", ".docx", ".pdf", ".zip")


def open_sheet(source: BinaryIO, file_name: str, limits: SheetLimits = _NO_LIMITS_OF_ITS_OWN, fits: Fits | None = None) -> Sheet:
    """The table in ``source`` (seekable, read from its beginning); of ``file_name`` only the ending is ever repeated.

    Of a workbook's visible sheets with content the only one is read, or the only one that ``fits``; several that fit are
    refused by name, because leaving one out would go unnoticed. When none fits, the first is read, and whoever looks for the
    header says what it lacks. Raises SheetFault for whatever can't be read as a table.
    """
    source.seek(0)
    first = source.read(FIRST_BYTES)
    try:
        if format_of(first) == "package":
            return open_workbook(source, limits, fits)
    except SheetFault as fault:
        if fault.code == "file_old_format" and is_encrypted_workbook(_compound(source, limits)):
            raise refuse_encrypted() from None
        raise SheetFault(fault.code, _spoken(file_name) + fault.detail) from None
    return DelimitedSheet(source, fits)


def _spoken(file_name: str) -> str:
    """The ending as people know it; names themselves may be people's."""
    ending = PurePath(file_name).suffix.lower()
    return f"{ending} 文件：" if ending in _ENDINGS else ""


def _compound(source: BinaryIO, limits: SheetLimits) -> bytes:
    """The directory of a compound file may stand anywhere in it."""
    source.seek(0)
    return source.read(limits.package_bytes)
