"""What a file is, by its first bytes. Names lie: systems export web pages as .xls, people rename."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from app.sheets.model import SheetFault

Format: TypeAlias = Literal["text", "package"]

FIRST_BYTES: Final = 8192
_PACKAGE: Final = b"PK\x03\x04"
_EMPTY_PACKAGE: Final = b"PK\x05\x06"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_BIFF: Final = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00", re.DOTALL)
_MARKUP: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|table|meta|style|script|div|\?xml|workbook)",
    re.IGNORECASE | re.DOTALL,
)
_OTHERS: Final = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"II*\x00": "图片",
    b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包",
    b"\x1f\x8b": "压缩文件",
    b"BZh": "压缩文件",
    b"\xfd7zXZ": "压缩文件",
    b"{\\rtf": "RTF 文档",
    b"SQLite format 3": "数据库文件",
    b"\x7fELF": "程序文件",
    b"MZ\x90": "程序文件",
}
SAVE_AS: Final = "请用 Excel 或 WPS 打开后另存为“Excel 工作簿（.xlsx）”或“CSV UTF-8”，再导入。"


def format_of(first: bytes) -> Format:
    """Text or a zipped package. Raises SheetFault for an empty file and for everything that is neither."""
    if not first:
        raise SheetFault("file_empty", "文件没有内容，请核对是否选错文件或没有保存。")
    if first.startswith(_PACKAGE):
        return "package"
    if first.startswith(_EMPTY_PACKAGE):
        raise SheetFault("file_unsupported", f"压缩包是空的。{SAVE_AS}")
    if first.startswith(_COMPOUND) or _OLD_BIFF.match(first):
        raise SheetFault("file_old_format", f"这是旧版工作簿（.xls、.et）或其他旧格式文档。{SAVE_AS}")
    if _MARKUP.match(first):
        raise SheetFault("file_is_web_page", f"这是改名为表格的网页或 XML（有的系统这样导出）。{SAVE_AS}")
    for mark, title in _OTHERS.items():
        if first.startswith(mark):
            raise SheetFault("file_unsupported", f"这是{title}，不是表格。请导入 .xlsx 或 CSV 文件。")
    return "text"


def is_encrypted_workbook(compound: bytes) -> bool:
    """Whether a compound file holds an encrypted workbook: the names of its streams stand in UTF-16."""
    return "EncryptedPackage".encode("utf-16-le") in compound


def refuse_encrypted() -> SheetFault:
    """The refusal of a file that needs a password."""
    return SheetFault("file_encrypted", "文件设有打开密码。请在 Excel 或 WPS 中取消密码并保存，再导入。")
