"""Imports and keys that come and go: what an undo puts back can be read whatever key was retired meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from app import rekeying
from app.db.session import transaction
from app.runtime import Runtime
from app.security import keys
from app.security.fields import Field
from tests.conftest import build_database, running
from tests.integration.kind_kit import CLERK, Bench, counts
from tests.integration.registry_world import card, fresh_number
from tests.integration.test_import_people import number, row
from tests.world import seed_world

pytestmark = pytest.mark.db
Rows = tuple[Mapping[str, Any], Mapping[str, Any]]


@pytest_asyncio.fixture(loop_scope="session")
async def office(cluster: URL, worker_name: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A database with keys of its own."""
    settings = await build_database(cluster, f"imports_{worker_name}", tmp_path)
    async with running(settings) as runtime:
        await seed_world(runtime)
        yield runtime


def people() -> Rows:
    account = {"户名": "陈导入", "开户银行": "农业银行", "银行账号": card()}
    first = row(number(), 手机号="13800138000", 住址="示例路1号") | account
    return first, first | {"手机号": "13900139000", "住址": "示例路2号", "银行账号": card()}


def certificates() -> Rows:
    id_number = fresh_number()
    person = {"姓名": "陈导入", "身份证号": id_number, "发证日期": "2020-05-06"}
    return person | {"残疾人证号": f"{id_number}42"}, person | {"残疾人证号": f"{id_number}43"}


def officials() -> Rows:
    person = {"姓名": "陈导入", "身份证号": fresh_number(), "区划代码": CLERK.prefix, "工作单位": "某某街道办事处"}
    return person | {"职务": "民政助理员"}, person | {"职务": "站长"}


SENT: dict[str, Callable[[], Rows]] = {"people": people, "disability_certificates": certificates, "officials": officials}
_SEALED = {
    "people": """
        SELECT p.person_uid, p.phone_sealed, p.address_sealed, h.id, h.bank_account_sealed
        FROM person p JOIN household_member s ON s.person_id = p.id JOIN household h ON h.id = s.household_id
    """,
    "disability_certificates": """
        SELECT p.person_uid, decode(f.value ->> 'certificate_no_sealed', 'base64') FROM person p
        JOIN person_fact f ON f.person_id = p.id WHERE f.superseded_at IS NULL AND f.kind = 'disability'
    """,
    "officials": "SELECT id, id_number_sealed, position FROM official",
}
_FIELDS = {
    "people": (Field.PHONE, Field.ADDRESS),
    "disability_certificates": (Field.DISABILITY_CERTIFICATE,),
    "officials": (Field.ID_NUMBER,),
}


async def in_plain(office: Runtime, kind: str) -> list[Any]:
    """What the one subject there is says under its seals."""
    async with transaction(office.engine, CLERK) as session:
        (found,) = (await session.execute(text(_SEALED[kind]))).all()
    owner, *sealed = found
    plain: list[Any] = [office.cipher.open(field, owner, value) for field, value in zip(_FIELDS[kind], sealed, strict=False)]
    if kind == "people":
        plain.append(office.cipher.open(Field.BANK_ACCOUNT, found.id, found.bank_account_sealed))
    return plain + ([found.position] if kind == "officials" else [])


@pytest.mark.parametrize("kind", SENT)
async def test_what_an_undo_puts_back_never_rests_on_a_retired_key(
    office: Runtime, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    first, second = SENT[kind]()
    bench = Bench.of(office, kind)
    if kind == "disability_certificates":
        await Bench.of(office, "people").write(row(number(), 身份证号=first["身份证号"]))
    await bench.write(first)
    before = await in_plain(office, kind)
    office.keys.rotate("data")
    applied, run = await bench.write(second)
    assert counts(applied) == (0, 1, 0, 0)
    assert await in_plain(office, kind) != before
    await rekeying.reencrypt(office, lambda _: None)
    assert (await rekeying.status(office)).under(1) == {}, "`keys retire data 1` lets it go"
    monkeypatch.setattr(keys, "refuse_early", lambda _entries: None)
    office.keys.retire("data", "1")
    assert await bench.built_on(run) == {}
    await bench.undo(run)
    assert await in_plain(office, kind) == before
