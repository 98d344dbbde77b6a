"""The safe side of zipped workbooks: sizes and structure are looked at before anything is loaded."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from app.sheets.detection import SAVE_AS
from app.sheets.model import SheetFault, SheetLimits

CHUNK: Final = 1 << 20
_SMALL_PART: Final = 4 << 20
_FREE_OF_RATIO: Final = 16 << 20
_MOST_PARTS: Final = 5_000
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_OTHER_PACKAGES: Final = {
    "xl/workbook.bin": "二进制工作簿（.xlsb）",
    "word/document.xml": "Word 文档",
    "ppt/presentation.xml": "演示文稿",
    "content.xml": "OpenDocument 文档",
}
TOO_MUCH: Final = "工作簿解压后过大（可能含有大量带格式的空行或图片）；请删去数据以下的空行和图片，或另存为“CSV UTF-8”后再导入。"
DAMAGED: Final = f"工作簿已损坏或没有传完。{SAVE_AS}"


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet as the workbook lists it."""

    name: str
    path: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A workbook whose parts have been found acceptable."""

    archive: zipfile.ZipFile
    sheets: tuple[SheetPart, ...]
    date_1904: bool

    def chunks(self, path: str) -> Iterator[bytes]:
        """The unzipped part, piece by piece. Raises SheetFault when it is damaged."""
        try:
            with self.archive.open(path) as part:
                while chunk := part.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, KeyError, ValueError) as wrong:
            raise SheetFault("file_damaged", DAMAGED) from wrong


def open_package(content: BinaryIO, limits: SheetLimits) -> Package:
    """Raises SheetFault for archives that are no workbook, are damaged, encrypted, or unpack to too much."""
    try:
        archive = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as wrong:
        raise SheetFault("file_damaged", DAMAGED) from wrong
    parts = archive.infolist()
    names = [part.filename for part in parts]
    _refuse_other_packages(names)
    if len(set(names)) < len(names) or len(names) > _MOST_PARTS:
        raise SheetFault("file_damaged", DAMAGED)
    if any(part.flag_bits & 1 for part in parts):
        raise SheetFault("file_encrypted", f"压缩包设有密码。{SAVE_AS}")
    _refuse_bombs(parts, limits)
    package = Package(archive, (), date_1904=False)
    workbook = _elements(package, _WORKBOOK)
    targets = {
        found.get("Id"): found.get("Target", "") for name, found in _elements(package, _RELATIONS) if name == "Relationship"
    }
    spelled = {name.lower(): name for name in names}
    sheets = tuple(_sheet(found, targets, spelled) for name, found in workbook if name == "sheet")
    dated = any(name == "workbookPr" and found.get("date1904") in ("1", "true") for name, found in workbook)
    return Package(archive, tuple(sheet for sheet in sheets if sheet.path), dated)


def _refuse_other_packages(names: list[str]) -> None:
    if _WORKBOOK in names:
        return
    title = next((title for path, title in _OTHER_PACKAGES.items() if path in names), "压缩包")
    raise SheetFault("file_unsupported", f"这是{title}，不是 .xlsx 工作簿。{SAVE_AS}")


def _refuse_bombs(parts: list[zipfile.ZipInfo], limits: SheetLimits) -> None:
    unzipped = sum(part.file_size for part in parts)
    texts = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
    ratio = any(part.file_size > max(_FREE_OF_RATIO, part.compress_size * limits.ratio) for part in parts)
    if unzipped > limits.unzipped_bytes or texts > limits.xlsx_content_bytes or ratio:
        raise SheetFault("file_unzips_too_large", TOO_MUCH)


def _sheet(found: dict[str, str], targets: dict[str | None, str], spelled: dict[str, str]) -> SheetPart:
    """The path as the archive spells it, empty when there is no such part."""
    relation = next((value for key, value in found.items() if key.endswith(":id") or key == "id"), None)
    target = targets.get(relation, "")
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return SheetPart(found.get("name", ""), spelled.get(path.lower(), ""), found.get("state", "visible") == "visible")


def _elements(package: Package, path: str) -> list[tuple[str, dict[str, str]]]:
    """Local names and attributes of all elements of a small part. A document type is refused: no workbook has one."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(":")[2], attributes))
    parser.StartDoctypeDeclHandler = _refuse_doctype
    size = 0
    try:
        for chunk in package.chunks(path):
            size += len(chunk)
            if size > _SMALL_PART:
                raise SheetFault("file_damaged", DAMAGED)
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as wrong:
        raise SheetFault("file_damaged", DAMAGED) from wrong
    return found


def _refuse_doctype(*_: Any) -> None:
    raise SheetFault("file_damaged", f"工作簿里有不该有的 XML 声明。{SAVE_AS}")
