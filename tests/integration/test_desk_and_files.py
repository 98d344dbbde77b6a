"""What is registered at the desk goes out and comes in again as it is, however oddly it was written."""

from __future__ import annotations

from typing import Any

import pytest

from app.runtime import Runtime
from tests.integration.export_kit import file_of
from tests.integration.import_world import imported
from tests.integration.registry_world import MEISHAN_OTHER, SignIn, card, fresh_number

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]

NAMES = (
    "欧阳  丽",
    'O\'Brien "Q"',
    "=张三",
    "-张",
    "'张三",
    "买买提·吐尔逊",
    "张（曾用名李）",
    "张\t三",
    "㐂䶮𠮷",
    "合计",
    "张" * 100,
)
ADDRESSES = ("=1+1", "＋1 号", "'x", "00123", "1E+5 号", "a\nb", "a\u2028b", "无", '"', "20260105", "是", "路" * 200)
HOLDERS = ("某某村民委员会、合作社", "张\"三'", "=户")
NUMBERS = ("007", "1E5", "3-5", "20260101", "_")
NO_NAMES = ("张,三", "张；三", "1234567", "张*三", "12", "张\ufeff三")


#: A household need not live where its head does, nor be of his kind of residence.
async def opened(client: Any, no: str | None, name: str, address: str, **household: Any) -> None:
    person = {"name": name, "id_number": fresh_number(), "area_code": MEISHAN_OTHER, "residence": "rural", "address": address}
    answer = await client.post("/api/v1/persons", json=person | {"ethnicity": "汉" * 30})
    assert answer.status_code == 201, answer.text
    head = {"person_id": answer.json()["id"], "relation": "head"}
    body = {"area_code": MEISHAN_OTHER, "residence": "urban", "members": [head], **household} | (
        {"household_no": no} if no else {}
    )
    answer = await client.post("/api/v1/households", json=body)
    assert answer.status_code == 201, answer.text


@pytest.fixture
async def odd_people(sign_in: SignIn) -> None:
    clerk, mark = sign_in("s001.clerk"), fresh_number()[-6:]
    for place in range(max(len(NAMES), len(ADDRESSES))):
        name, address = NAMES[place % len(NAMES)], ADDRESSES[place % len(ADDRESSES)]
        no = f"{NUMBERS[place]}-{mark}" if place < len(NUMBERS) else None
        account = {"bank_name": "-行", "account_number": card(), "account_holder": HOLDERS[place % len(HOLDERS)]}
        await opened(clerk, no, name, address, account=account)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_odd_values_of_the_desk_come_back(runtime: Runtime, sign_in: SignIn, odd_people: None, file_format: str) -> None:
    clerk = sign_in("s001.clerk")
    for kind, sender in (("people", clerk), ("payees", sign_in("district.reviewer"))):
        file = await file_of(runtime, sender, kind, plain=True, format=file_format, area_code=MEISHAN_OTHER)
        run = await imported(runtime, sender, file, kind=kind, name=f"x.{file_format}", dry_run="true")
        rejected = (await sender.get(f"/api/v1/imports/{run['id']}/errors")).json()["items"]
        assert (rejected, run["rows_unchanged"]) == ([], run["rows_total"]), {
            k: v for k, v in run.items() if "rows" in k or k == "notices"
        }
        assert run["rows_total"] >= len(NAMES)


@pytest.mark.parametrize("name", NO_NAMES)
async def test_no_door_lets_in_what_is_no_name(sign_in: SignIn, name: str) -> None:
    body = {"name": name, "id_number": fresh_number(), "area_code": MEISHAN_OTHER, "residence": "rural"}
    answer = await sign_in("s001.clerk").post("/api/v1/persons", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "name_wrong")


async def test_the_last_running_number_does_not_end_the_numbering(sign_in: SignIn) -> None:
    """A file or a person may take the last number of a community; those who come after get what is free."""
    clerk = sign_in("s001.clerk")
    taken = await clerk.get("/api/v1/households", params={"household_no": f"{MEISHAN_OTHER}-999999", "count": "true"})
    if not taken.json()["total"]:
        await opened(clerk, f"{MEISHAN_OTHER}-999999", "赵末号", "末路")
    for _ in range(2):
        await opened(clerk, None, "钱空号", "空路")
