"""The file a batch is paid from: one line per account, with a header that tells the bank how many and how much.

Layout of both profiles (CSV, CRLF, no column titles)::

    batch number, pay month, count of lines, total in yuan, total in fen
    sequence, account, holder, amount in yuan, memo, line reference        … once per account

The bytes depend on the batch alone, not on the order its items come in. What the bank sends back names a line reference; which
items were paid in that line is kept beside the file (``BankLine.item_references``), not in it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from types import MappingProxyType

from app.domain.calendar import Month
from app.domain.errors import Conflict, FieldError, Malformed
from app.domain.identity import normalise_bank_account
from app.domain.money import yuan_text

#: Profile → character set. Some banks still take GBK only and would garble the rare characters that GB18030 can write.
PROFILES: Mapping[str, str] = MappingProxyType({"generic": "gb18030", "generic_gbk": "gbk"})

_HEADER = ("批次号", "发放月份", "笔数", "总额(元)", "总额(分)")
_COLUMNS = ("序号", "账号", "户名", "金额(元)", "摘要", "明细编号")

_ACCOUNT = re.compile(r"[0-9A-Z]{5,32}")
_BATCH_NO = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_YUAN = re.compile(r"(0|[1-9][0-9]{0,14})\.([0-9]{2})")
_COUNT = re.compile(r"0|[1-9][0-9]{0,17}")

#: Spreadsheets take a cell that begins like this for a formula; the quote itself is escaped too, so that reading is exact.
_FORMULA_STARTS = ("=", "+", "-", "@", "'", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class BankItem:
    """One payment item: base, uplift, arrears, or an offset with a negative amount."""

    reference: str
    account: str
    holder: str
    amount_fen: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class BankLine:
    """What one account gets. ``item_references`` is empty for a line read back from a file."""

    sequence: int
    account: str
    holder: str
    amount_fen: int
    memo: str
    reference: str
    item_references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank file with its content as the bank gets it."""

    batch_no: str
    pay_month: Month
    total_fen: int
    lines: tuple[BankLine, ...]
    content: bytes

    @property
    def item_references(self) -> dict[str, tuple[str, ...]]:
        """Line reference → the items summed up in that line."""
        return {line.reference: line.item_references for line in self.lines}


def write_bank_file(
    batch_no: str, pay_month: Month, items: Iterable[BankItem], *, total_fen: int, profile: str = "generic"
) -> BankFile:
    """The bank file of a batch whose approved total is ``total_fen``.

    ``Conflict`` when the items don't sum up to the approved total, one account has two holders or nothing to be paid;
    ``Malformed`` for an unknown profile, an item reference used twice, or an account or text the file can't carry.
    """
    encoding = _encoding_of(profile)
    if _BATCH_NO.fullmatch(batch_no) is None:
        raise Malformed("batch_no_malformed", "批次号只能用字母、数字、横线和下划线，请核对批次号。")
    lines = _lines(batch_no, list(items))
    _require_total(sum(line.amount_fen for line in lines), total_fen)
    _require_writable(lines, encoding)
    return BankFile(batch_no, pay_month, total_fen, lines, _encode(batch_no, pay_month, lines, encoding))


def read_bank_file(content: bytes, *, profile: str = "generic") -> BankFile:
    """The bank file in ``content``. ``Malformed`` (``bank_file_malformed``) names every line that is wrong, or a sum that is."""
    rows = _csv_rows(content, _encoding_of(profile))
    batch_no, pay_month, count, total_fen = _read_header(rows[0] if rows else [])
    parsed = [_read_line(number, cells) for number, cells in enumerate(rows[1:], start=1)]
    _refuse([line for line in parsed if isinstance(line, FieldError)])
    lines = tuple(line for line in parsed if isinstance(line, BankLine))
    found_fen = sum(line.amount_fen for line in lines)
    if (count, total_fen) != (len(lines), found_fen):
        message = f"首行为 {count} 笔 {yuan_text(total_fen)} 元，明细为 {len(lines)} 笔 {yuan_text(found_fen)} 元"
        _refuse([FieldError("/1", "sum_mismatch", message)])
    return BankFile(batch_no, pay_month, total_fen, lines, content)


def _lines(batch_no: str, items: Sequence[BankItem]) -> tuple[BankLine, ...]:
    """The items summed up per account, in order of account."""
    _refuse_repeated_references(items)
    by_account: dict[str, list[BankItem]] = {}
    for item in sorted(items, key=lambda item: item.reference):
        by_account.setdefault(normalise_bank_account(item.account), []).append(item)
    return tuple(
        _line(batch_no, sequence, account, its_items)
        for sequence, (account, its_items) in enumerate(sorted(by_account.items()), start=1)
    )


def _line(batch_no: str, sequence: int, account: str, items: Sequence[BankItem]) -> BankLine:
    holders = {item.holder.strip() for item in items}
    amount_fen = sum(item.amount_fen for item in items)
    if len(holders) > 1:
        raise Conflict("account_holders_differ", f"尾号 {account[-4:]} 的账户登记了不同户名，请先核实户名再生成代发文件。")
    if amount_fen <= 0:
        raise Conflict("account_nothing_to_pay", f"尾号 {account[-4:]} 的账户合计不为正数，请先移出该账户或调整抵扣。")
    return BankLine(
        sequence=sequence,
        account=account,
        holder=holders.pop(),
        amount_fen=amount_fen,
        memo="、".join(sorted({item.memo.strip() for item in items} - {""})),
        reference=f"{batch_no}-{sequence:06d}",
        item_references=tuple(item.reference for item in items),
    )


def _refuse_repeated_references(items: Sequence[BankItem]) -> None:
    """An item listed twice would be paid twice."""
    references = [item.reference for item in items]
    if len(set(references)) < len(references):
        raise Malformed("item_repeated", "同一发放明细出现了两次，请重新计算批次后再生成代发文件。")


def _require_total(found_fen: int, approved_fen: int) -> None:
    if found_fen != approved_fen:
        raise Conflict(
            "bank_file_total_mismatch",
            f"明细合计 {yuan_text(found_fen)} 元，与审批总额 {yuan_text(approved_fen)} 元不符，请重新计算批次，不要发送文件。",
        )


def _require_writable(lines: Sequence[BankLine], encoding: str) -> None:
    errors: list[FieldError] = []
    for line in lines:
        if _ACCOUNT.fullmatch(line.account) is None:
            errors.append(_line_error(line.sequence, "account", "account_malformed", "银行账号格式不对，请核对"))
        if not line.holder:
            errors.append(_line_error(line.sequence, "holder", "holder_missing", "缺少户名，请补齐"))
        errors.extend(_text_errors(line, encoding))
    if errors:
        raise Malformed("bank_file_unwritable", f"有 {len(errors)} 处内容不能写入代发文件，请改正后重新生成。", errors=errors)


def _text_errors(line: BankLine, encoding: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for column, text in (("holder", line.holder), ("memo", line.memo)):
        if any(unicodedata.category(character) == "Cc" for character in text):
            errors.append(_line_error(line.sequence, column, "control_character", "含有换行等不可见字符，请删除"))
        bad = sorted({character for character in text if not _encodable(character, encoding)})
        if bad:
            shown = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in bad)
            errors.append(
                _line_error(line.sequence, column, "not_encodable", f"“{shown}”不能用该行的字符集写出，请与银行约定写法")
            )
    return errors


def _encodable(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _encode(batch_no: str, pay_month: Month, lines: Sequence[BankLine], encoding: str) -> bytes:
    total_fen = sum(line.amount_fen for line in lines)
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([batch_no, str(pay_month), len(lines), yuan_text(total_fen), total_fen])
    for line in lines:
        cells = [str(line.sequence), line.account, line.holder, yuan_text(line.amount_fen), line.memo, line.reference]
        writer.writerow([_escape(cell) for cell in cells])
    return out.getvalue().encode(encoding)


def _escape(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _unescape(cell: str) -> str:
    return cell.removeprefix("'")


def _csv_rows(content: bytes, encoding: str) -> list[list[str]]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _malformed(
            [FieldError("", "encoding_wrong", f"第 {error.start + 1} 个字节不是 {encoding.upper()} 编码")]
        ) from error
    try:
        return [cells for cells in csv.reader(StringIO(text, newline="")) if cells]
    except csv.Error as error:
        raise _malformed([FieldError("", "csv_malformed", "不是正确的 CSV 文件")]) from error


def _read_header(cells: Sequence[str]) -> tuple[str, Month, int, int]:
    if (
        len(cells) != len(_HEADER)
        or _COUNT.fullmatch(cells[2]) is None
        or _fen(cells[3]) is None
        or str(_fen(cells[3])) != cells[4]
    ):
        raise _malformed([FieldError("/1", "header_wrong", f"第 1 行应为：{','.join(_HEADER)}")])
    try:
        pay_month = Month.parse(cells[1])
    except ValueError as error:
        raise _malformed([FieldError("/1", "month_wrong", "第 1 行的发放月份应为 YYYY-MM")]) from error
    return cells[0], pay_month, int(cells[2]), int(cells[4])


def _read_line(number: int, cells: Sequence[str]) -> BankLine | FieldError:
    if len(cells) != len(_COLUMNS):
        return FieldError(f"/{number + 1}", "columns_wrong", f"第 {number + 1} 行应有 {len(_COLUMNS)} 列，实有 {len(cells)} 列")
    sequence, account, holder, yuan, memo, reference = (_unescape(cell) for cell in cells)
    amount_fen = _fen(yuan)
    if sequence != str(number):
        return FieldError(f"/{number + 1}", "sequence_wrong", f"第 {number + 1} 行序号应为 {number}，文件里是“{sequence}”")
    if amount_fen is None:
        return FieldError(f"/{number + 1}", "amount_wrong", f"第 {number + 1} 行金额“{yuan}”不对，应为两位小数的元")
    return BankLine(number, account, holder, amount_fen, memo, reference)


def _fen(yuan: str) -> int | None:
    match = _YUAN.fullmatch(yuan)
    return None if match is None else int(match[1]) * 100 + int(match[2])


def _encoding_of(profile: str) -> str:
    if profile not in PROFILES:
        raise Malformed("bank_profile_unknown", f"没有代发文件格式“{profile}”，可用的有：{'、'.join(PROFILES)}。")
    return PROFILES[profile]


def _line_error(sequence: int, column: str, code: str, message: str) -> FieldError:
    return FieldError(f"/{sequence}/{column}", code, f"第 {sequence} 笔：{message}")


def _refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        raise _malformed(errors)


def _malformed(errors: Sequence[FieldError]) -> Malformed:
    return Malformed("bank_file_malformed", f"代发文件有 {len(errors)} 处错误，请核对是否为本系统生成的文件。", errors=errors)
