"""Imports as such: sent, read, applied once, told apart row by row, taken back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.files import PART_BYTES
from app.jobs.import_retention import forget_old_befores, forget_old_files
from app.runtime import Runtime
from tests.integration.import_world import (
    BROKEN,
    DISTRICT,
    HEADERS,
    IMPORTS,
    KIND,
    PEOPLE_HEADERS,
    UNWANTED,
    csv_of,
    imported,
    marks,
    people,
    rows_of,
    send,
    shown,
    started,
    things,
    work,
)
from tests.integration.registry_world import fresh_number

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]
ID_NUMBER = "350702198001010014"


async def test_a_file_goes_in_and_is_counted(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    import_id = await started(clerk, csv_of(things(7)))
    before = await shown(clerk, import_id)
    assert (before["status"], before["progress"], before["phase"]) == ("queued", 0, "reading")
    await work(runtime, import_id)
    run = await shown(clerk, import_id)
    counts = {name: run[f"rows_{name}"] for name in ("total", "ok", "rejected", "created", "updated", "unchanged")}
    assert counts == {"total": 7, "ok": 7, "rejected": 0, "created": 7, "updated": 0, "unchanged": 0}
    assert (run["status"], run["progress"], run["phase"], run["problem"]) == ("succeeded", 1.0, "finished", None)
    assert run["started_at"] <= run["finished_at"]
    assert run["file"]["name"] == "things.csv"
    assert len(await marks(runtime, import_id)) == 7


async def test_the_same_file_twice_changes_nothing(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, content = sign_in("s001.clerk"), csv_of(things(9))
    first = await imported(runtime, clerk, content)
    again = await imported(runtime, clerk, content)
    assert (again["status"], again["rows_unchanged"], again["rows_created"], again["rows_updated"]) == ("succeeded", 9, 0, 0)
    assert len(await marks(runtime, first["id"])) == 9
    assert await marks(runtime, again["id"]) == []


async def test_a_dry_run_says_the_same_and_writes_nothing(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    rows = things(5)
    rows[1][1], rows[3][1] = BROKEN, UNWANTED
    tried = await imported(runtime, clerk, csv_of(rows), dry_run="true")
    assert (tried["dry_run"], tried["status"]) == (True, "completed_with_errors")
    assert await marks(runtime, tried["id"]) == []
    done = await imported(runtime, clerk, csv_of(rows))
    for name in ("rows_total", "rows_ok", "rows_rejected", "rows_created"):
        assert tried[name] == done[name]
    faults = [(await clerk.get(f"{IMPORTS}/{run['id']}/errors")).json()["items"] for run in (tried, done)]
    assert faults[0] == faults[1]
    assert [row["row"] for row in faults[0]] == [3, 5]
    refused = await clerk.post(f"{IMPORTS}/{tried['id']}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_is_dry_run")


async def test_every_fault_of_every_row_is_told(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    rows = things(8)
    rows[0][0], rows[0][2] = "", "十二"
    rows[1][3] = "350702198001010018"  # wrong check digit
    rows[2][4] = "350702002001"  # another station's
    rows[3][4] = "350702001999"  # nobody's
    rows[5][0] = rows[4][0]
    rows[6][1] = BROKEN
    run = await imported(runtime, clerk, csv_of(rows))
    assert (run["rows_total"], run["rows_ok"], run["rows_rejected"]) == (8, 2, 6)
    answer = await clerk.get(f"{IMPORTS}/{run['id']}/errors", params={"count": "true"})
    page = answer.json()
    told = {row["row"]: [(fault["column"], fault["code"]) for fault in row["faults"]] for row in page["items"]}
    assert page["total"] == 6
    assert {column for column, _ in told[2]} == {"编号", "金额(元)"}
    assert told[3][0][0] == "身份证号"
    assert told[4] == [("区划代码", "area_outside_scope")]
    assert told[5] == [("区划代码", "area_unknown")]
    assert told[7] == [(None, "duplicate_in_file")]
    assert told[8] == [("名称", "required")]
    assert "350702198001010018" not in answer.text
    assert "3507**********0018" in answer.text
    assert "第 6 行" in page["items"][4]["faults"][0]["message"]


async def test_the_page_of_faults_can_be_turned(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    run = await imported(runtime, clerk, csv_of([[*row[:1], BROKEN, *row[2:]] for row in things(5)]))
    seen, cursor = [], None
    for _ in range(3):
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await clerk.get(f"{IMPORTS}/{run['id']}/errors", params=parameters)).json()
        seen += [row["row"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == ([2, 3, 4, 5, 6], None)


async def test_rejected_rows_come_back_corrected(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    rows = things(6)
    rows[1][1], rows[4][1], rows[4][3] = BROKEN, UNWANTED, ID_NUMBER
    run = await imported(runtime, clerk, csv_of(rows))
    answer = await clerk.get(f"{IMPORTS}/{run['id']}/errors.csv")
    assert answer.headers["cache-control"] == "private, no-store"
    rejected = rows_of(answer.content)
    assert [row["行号"] for row in rejected] == ["3", "6"]
    assert rejected[1]["错误原因"] == "名称：不收此物，请换一个名称。"
    assert all("。；" not in row["错误原因"] and row["错误原因"].endswith("。") for row in rejected)
    assert [rejected[1][header] for header in HEADERS] == rows[4]
    for row in rejected:
        row["名称*"] = "更正后"
    corrected = csv_of([list(row.values()) for row in rejected], list(rejected[0]))
    second = await imported(runtime, clerk, corrected)
    assert (second["status"], second["rows_created"]) == ("succeeded", 2)
    assert second["notices"] == []


async def test_rejected_rows_as_a_workbook(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    rows = things(3)
    rows[1][1], rows[1][3], rows[2][1] = BROKEN, ID_NUMBER, "=1+1"
    run = await imported(runtime, clerk, csv_of(rows))
    answer = await clerk.get(f"{IMPORTS}/{run['id']}/errors.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert [cell.value for cell in sheet[1]] == ["行号", "错误原因", *HEADERS]
    assert sheet["F2"].value == ID_NUMBER
    assert sheet["F2"].data_type == "s"
    assert [cell.number_format for cell in sheet[2]] == ["General", *["@"] * 6]  # text still, once somebody has corrected it


async def test_insert_refuses_what_is_there(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), things(4)
    await imported(runtime, clerk, csv_of(rows[:2]))
    rows[0][1] = "改名"
    run = await imported(runtime, clerk, csv_of(rows), mode="insert")
    assert (run["rows_created"], run["rows_unchanged"], run["rows_rejected"]) == (2, 1, 1)


async def test_an_import_is_taken_back(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), things(5)
    first = await imported(runtime, clerk, csv_of(rows[:3]))
    rows[0][1] = "改名"
    second = await imported(runtime, clerk, csv_of(rows))
    assert (second["rows_created"], second["rows_updated"]) == (2, 1)
    blocked = await clerk.post(f"{IMPORTS}/{first['id']}/undo")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "import_cannot_be_undone")
    assert blocked.json()["built_on"] == [{"code": "later_imports", "count": 1}]
    stale = await clerk.post(f"{IMPORTS}/{second['id']}/undo", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    undone = await clerk.post(f"{IMPORTS}/{second['id']}/undo")
    assert (undone.status_code, undone.json()["status"]) == (200, "undone")
    assert len(await marks(runtime, first["id"])) == 3
    again = await clerk.post(f"{IMPORTS}/{second['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "import_undone")
    assert (await clerk.post(f"{IMPORTS}/{first['id']}/undo")).json()["status"] == "undone"
    assert await marks(runtime, first["id"]) == []
    third = await imported(runtime, clerk, csv_of(rows))
    assert third["rows_created"] == 5


async def test_much_is_taken_back_in_the_background(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, limit = sign_in("s001.clerk"), runtime.settings.import_undo_inline_rows
    run = await imported(runtime, clerk, csv_of(things(limit + 1)))
    answer = await clerk.post(f"{IMPORTS}/{run['id']}/undo")
    assert (answer.status_code, answer.json()["phase"], answer.json()["status"]) == (200, "undoing", "succeeded")
    second = await clerk.post(f"{IMPORTS}/{run['id']}/undo")
    assert (second.status_code, second.json()["code"]) == (409, "import_not_finished")
    await work(runtime, run["id"])
    assert (await shown(clerk, run["id"]))["status"] == "undone"
    assert await marks(runtime, run["id"]) == []


async def test_many_parts_and_faults_far_apart(runtime: Runtime, sign_in: SignIn) -> None:
    """More than one staged part, and a duplicate of a row of another part."""
    clerk, rows = sign_in("s001.clerk"), things(11_000)
    rows[10_500][0] = rows[3][0]
    rows[5_100][1] = UNWANTED
    run = await imported(runtime, clerk, csv_of(rows))
    assert (run["rows_total"], run["rows_created"], run["rows_rejected"]) == (11_000, 10_998, 2)
    page = (await clerk.get(f"{IMPORTS}/{run['id']}/errors")).json()
    assert [row["row"] for row in page["items"]] == [5_102, 10_502]
    async with transaction(runtime.engine, DISTRICT) as session:
        staged = text("SELECT count(*), count(rows_sealed) FROM import_part WHERE import_id = :i")
        assert tuple((await session.execute(staged, {"i": run["id"]})).one()) == (4, 0), "rows as sent are dropped at the end"


async def test_two_imports_of_the_same_things_at_once(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, reviewer = sign_in("s001.clerk"), sign_in("district.reviewer")
    rows = things(6_000)
    ids = [await started(client, csv_of(found)) for client, found in ((clerk, rows), (reviewer, rows[::-1]))]
    await asyncio.gather(*(work(runtime, import_id) for import_id in ids))
    runs = [await shown(reviewer, import_id) for import_id in ids]
    assert [run["status"] for run in runs] == ["succeeded", "succeeded"]
    assert sum(run["rows_created"] for run in runs) == 6_000
    assert sum(run["rows_unchanged"] for run in runs) == 6_000


async def test_two_imports_of_the_same_people_at_once(runtime: Runtime, sign_in: SignIn) -> None:
    """Neither waits for the other for ever, and nobody is there twice."""
    rows = people([fresh_number() for _ in range(5_400)], f"PL{uuid4().hex[:8]}")
    households = [rows[n : n + 3] for n in range(0, len(rows), 3)]
    backwards = [row for household in reversed(households) for row in household]
    senders = ((sign_in("s001.clerk"), rows), (sign_in("district.reviewer"), backwards))
    files = [csv_of(found, PEOPLE_HEADERS) for _, found in senders]
    ids = [await started(client, file, kind="people") for (client, _), file in zip(senders, files, strict=True)]
    await asyncio.gather(*(work(runtime, import_id) for import_id in ids))
    runs = [await shown(sign_in("district.reviewer"), import_id) for import_id in ids]
    assert [(run["status"], run["rows_ok"]) for run in runs] == [("succeeded", 5_400)] * 2, runs
    assert sum(run["rows_created"] for run in runs) == 5_400
    async with transaction(runtime.engine, DISTRICT) as session:
        counted = text(
            "SELECT count(*), count(DISTINCT m.person_id) FROM household h"
            " JOIN household_member m ON m.district = h.district AND m.household_id = h.id WHERE h.household_no LIKE :p"
        )
        found = (await session.execute(counted, {"p": f"{rows[0][0][:10]}%"})).one()
    assert tuple(found) == (5_400, 5_400)


async def test_a_household_in_two_parts_is_whole_in_a_dry_run_too(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), people([fresh_number() for _ in range(5_002)], f"PZ{uuid4().hex[:8]}")
    tried = await imported(runtime, clerk, csv_of(rows, PEOPLE_HEADERS), kind="people", dry_run="true")
    done = await imported(runtime, clerk, csv_of(rows, PEOPLE_HEADERS), kind="people")
    for run in (tried, done):
        assert (run["status"], run["rows_ok"], run["rows_created"]) == ("succeeded", 5_002, 5_002), run


# --- what is refused as a whole ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x00\x01\x02\x03" * 50, "photo.csv"),
        ("姓名,年龄\n张三,5\n".encode(), "other.csv"),
        (csv_of([]), "empty.csv"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(runtime: Runtime, sign_in: SignIn, content: bytes, name: str) -> None:
    run = await imported(runtime, sign_in("s001.clerk"), content, name=name)
    assert (run["status"], run["rows_ok"], run["phase"]) == ("failed", 0, "finished")
    assert run["problem"]["code"]
    assert any(word in run["problem"]["detail"] for word in ("请", "可"))


async def test_wrong_forms_are_told_by_field(sign_in: SignIn) -> None:
    clerk, content = sign_in("s001.clerk"), csv_of(things(1))

    async def errors(data: dict[str, str], files: dict[str, tuple[str, bytes]]) -> dict[str, str]:
        answer = await clerk.post(IMPORTS, data=data, files=files or {"file": ("", b"")})
        assert answer.status_code == 422, answer.text
        return {one["pointer"]: one["code"] for one in answer.json()["errors"]}

    file = {"file": ("a.csv", content)}
    assert await errors({}, file) == {"/kind": "required"}
    assert await errors({"kind": KIND}, {}) == {"/file": "required"}
    assert await errors({"kind": KIND}, {"upload": file["file"]}) == {"/file": "required", "/upload": "unknown_field"}
    assert await errors({"kind": KIND, "colour": "red"}, file) == {"/colour": "unknown_field"}
    assert await errors({"kind": "nothing"}, file) == {"/kind": "unknown_kind"}
    assert await errors({"kind": KIND, "mode": "replace", "dry_run": "maybe"}, file) == {
        "/mode": "unknown_value",
        "/dry_run": "not_a_boolean",
    }
    assert await errors({"kind": KIND, "profile": "none"}, file) == {"/profile": "unknown_profile"}
    assert await errors({"kind": KIND}, {"file": ("a.csv", b"")}) == {"/file": "file_empty"}
    assert await errors({"kind": KIND}, file | {"other": ("b.csv", content)}) == {"/other": "too_many"}
    listed = await clerk.post(IMPORTS, data={"kind": "nothing"}, files=file)
    assert f"{KIND}（测试用物品）" in listed.json()["errors"][0]["message"]


async def test_other_media_types_are_refused(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    assert (await clerk.post(IMPORTS, json={"kind": KIND})).status_code == 415
    headers = {"Content-Type": "multipart/form-data"}
    assert (await clerk.post(IMPORTS, content=b"--x", headers=headers)).status_code == 422
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for broken in (b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\npeo', b"nonsense"):
        assert (await clerk.post(IMPORTS, content=broken, headers=headers)).status_code == 422


async def test_who_may_send_and_see(runtime: Runtime, sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    content = csv_of(things(2))
    assert (await send(anonymous, content)).status_code == 401
    for name, code in (("district.auditor", "duty_required"), ("district.finance", "import_duty_required")):
        refused = await send(sign_in(name), content)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    run = await imported(runtime, sign_in("s001.clerk"), content)
    assert (await sign_in("s002.clerk").get(f"{IMPORTS}/{run['id']}")).status_code == 404
    for path in ("errors", "errors.csv", "errors.xlsx", "events"):
        assert (await sign_in("s002.clerk").get(f"{IMPORTS}/{run['id']}/{path}")).status_code == 404
    assert (await sign_in("s002.clerk").post(f"{IMPORTS}/{run['id']}/undo")).status_code == 404
    assert (await shown(sign_in("district.reviewer"), run["id"]))["rows_ok"] == 2
    assert (await sign_in("district.auditor").get(f"{IMPORTS}/{run['id']}/errors")).status_code == 200
    assert (await sign_in("district.auditor").get(f"{IMPORTS}/{run['id']}/errors.csv")).status_code == 403
    assert (await sign_in("district.finance").get(f"{IMPORTS}/{run['id']}/errors")).status_code == 403
    listed = (await sign_in("s002.clerk").get(IMPORTS, params={"limit": 200})).json()["items"]
    assert run["id"] not in [one["id"] for one in listed]


async def test_the_list_is_narrowed(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    done, failed = await imported(runtime, clerk, csv_of(things(1))), await imported(runtime, clerk, csv_of([]))
    newest = (await clerk.get(IMPORTS, params={"limit": 2, "kind": KIND})).json()["items"]
    assert [one["id"] for one in newest] == [failed["id"], done["id"]]
    page = (await clerk.get(IMPORTS, params={"status": "failed", "limit": 1, "count": "true"})).json()
    assert [one["id"] for one in page["items"]] == [failed["id"]]
    assert page["total"] >= 1
    assert (await clerk.get(IMPORTS, params={"kind": "nothing"})).json()["items"] == []


# --- sending again, large files, what is kept ---------------------------------------------------------------------------


async def test_sending_again_with_the_same_key_is_one_import(sign_in: SignIn) -> None:
    clerk, rows, key = sign_in("s001.clerk"), things(3), str(uuid4())
    first = await send(clerk, csv_of(rows), key=key)
    again = await send(clerk, csv_of(rows), key=key)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    rows[2][1] = "别的"
    for other in (
        await send(clerk, csv_of(rows), key=key),
        await send(clerk, csv_of(things(3)), key=key),
        await send(clerk, csv_of(rows), key=key, dry_run="true"),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_file_of_many_parts_is_kept_under_seal(runtime: Runtime, sign_in: SignIn) -> None:
    marker = "罕见而可辨的内容"
    content = csv_of(things(40_000, name=marker))
    assert len(content) > 2 * PART_BYTES
    answer = await send(sign_in("s001.clerk"), content)
    assert answer.status_code == 202
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text(
            "SELECT f.size_bytes, f.parts, count(*), bool_or(position(:m in p.content_sealed) > 0)"
            " FROM import_run r JOIN stored_file f ON f.id = r.file_id JOIN stored_file_part p ON p.file_id = f.id"
            " WHERE r.id = :i GROUP BY f.size_bytes, f.parts"
        )
        size, parts, found, plain = (await session.execute(statement, {"i": answer.json()["id"], "m": marker.encode()})).one()
    assert (size, parts, found, plain) == (len(content), -(-len(content) // PART_BYTES), parts, False)


async def test_contents_are_forgotten_after_a_while(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), things(2)
    rows[0][1] = BROKEN
    old, young = [await imported(runtime, clerk, csv_of(rows)) for _ in range(2)]
    file_id = await aged(runtime, old["id"], runtime.settings.import_content_days + 1)
    assert await forget_old_files(runtime) >= 1
    async with transaction(runtime.engine, DISTRICT) as session:
        left = text("SELECT count(*) FROM stored_file_part WHERE file_id = :f")
        assert (await session.execute(left, {"f": file_id})).scalar_one() == 0
    for path in ("errors", "errors.csv", "errors.xlsx"):
        gone = await clerk.get(f"{IMPORTS}/{old['id']}/{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "file_missing")
        assert (await clerk.get(f"{IMPORTS}/{young['id']}/{path}")).status_code == 200
    assert (await shown(clerk, old["id"]))["rows_rejected"] == 1
    assert (await clerk.post(f"{IMPORTS}/{old['id']}/undo")).json()["status"] == "undone"


async def test_what_stood_before_is_forgotten_with_the_undo(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), things(2)
    await imported(runtime, clerk, csv_of(rows))
    rows = [[code, f"{name}改", *rest] for code, name, *rest in rows]
    old = await imported(runtime, clerk, csv_of(rows))
    young = await imported(runtime, clerk, csv_of([[code, f"{name}再", *rest] for code, name, *rest in rows]))
    days = runtime.settings.import_undo_days
    await aged(runtime, old["id"], days)
    answer = await clerk.post(f"{IMPORTS}/{old['id']}/undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "import_undo_expired"), answer.text
    await forget_old_befores(runtime)
    assert [await befores(runtime, one["id"]) for one in (old, young)] == [2, 2], "an undo may be under way for a day"
    await aged(runtime, old["id"], 2)
    assert await forget_old_befores(runtime) >= 2
    assert [await befores(runtime, one["id"]) for one in (old, young)] == [0, 2]
    assert (await clerk.post(f"{IMPORTS}/{young['id']}/undo")).json()["status"] == "undone"


async def aged(runtime: Runtime, import_id: str, days: int) -> UUID:
    """As if the import had ended so many days earlier; its file."""
    statement = "UPDATE import_run SET finished_at = finished_at - make_interval(days => :d) WHERE id = :i RETURNING file_id"
    async with transaction(runtime.engine, DISTRICT) as session:
        file_id: UUID = (await session.execute(text(statement), {"d": days, "i": import_id})).scalar_one()
    return file_id


async def befores(runtime: Runtime, import_id: str) -> int:
    async with transaction(runtime.engine, DISTRICT) as session:
        counted = await session.execute(text("SELECT count(*) FROM import_before WHERE import_id = :i"), {"i": import_id})
        return int(counted.scalar_one())


async def test_what_was_done_is_on_record_without_contents(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, rows = sign_in("s001.clerk"), things(2)
    rows[0][1], rows[0][3] = BROKEN, ID_NUMBER
    run = await imported(runtime, clerk, csv_of(rows))
    await clerk.get(f"{IMPORTS}/{run['id']}/errors.csv")
    await clerk.post(f"{IMPORTS}/{run['id']}/undo")
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT action, actor_name, audit_record::text FROM audit_record WHERE subject_id = :i ORDER BY id")
        found = (await session.execute(statement, {"i": run["id"]})).all()
    assert [row.action for row in found] == ["import.start", "import.finished", "import.errors_download", "import.undo"]
    assert [row.actor_name for row in found] == ["s001.clerk", "system", "s001.clerk", "s001.clerk"]
    assert not any(ID_NUMBER in row[2] for row in found)


# --- kinds, templates ---------------------------------------------------------------------------------------------------


async def test_kinds_and_their_templates(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    kinds = {one["code"]: one for one in (await clerk.get("/api/v1/import-kinds")).json()["items"]}
    assert (kinds[KIND]["allowed"], kinds[KIND]["key"]) == (True, ["编号"])
    template = await clerk.get(f"{IMPORTS}/templates/{KIND}.csv")
    assert template.content.decode("utf-8-sig").strip() == ",".join(HEADERS)
    filled = template.content + ",".join(things(1)[0]).encode()
    assert (await imported(runtime, clerk, filled))["rows_created"] == 1
    for code in kinds:
        assert (await clerk.get(f"{IMPORTS}/templates/{code}.xlsx")).status_code == 200
    assert (await clerk.get(f"{IMPORTS}/templates/nothing.xlsx")).status_code == 404


async def test_a_template_keeps_numbers_as_they_are_typed(sign_in: SignIn) -> None:
    """An ID number typed into an ordinary cell becomes 3.50702E+17; and whoever fills in a word is told which there are."""
    template = await sign_in("s001.clerk").get(f"{IMPORTS}/templates/people.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(template.content))
    columns, notes = book["人员和家庭"], list(book["填写说明"].values)
    places = {cell.value.rstrip("*"): cell.column for cell in columns[1]}
    groups = columns.column_dimensions.values()
    formats = {title: [one.number_format for one in groups if one.min <= place <= one.max] for title, place in places.items()}
    assert [formats[title] for title in ("身份证号", "银行账号", "户编号", "月收入(元)")] == [["@"], ["@"], ["@"], ["General"]]
    relation = next(row for row in notes if row[0] == "与户主关系")
    assert "户主、配偶、子女" in relation[2]


async def test_a_template_sent_back_empty_is_refused_as_empty(runtime: Runtime, sign_in: SignIn) -> None:
    """The example of the second sheet is no data."""
    clerk = sign_in("s001.clerk")
    template = await clerk.get(f"{IMPORTS}/templates/{KIND}.xlsx")
    run = await imported(runtime, clerk, template.content, name="template.xlsx")
    assert (run["status"], run["rows_total"]) == ("failed", 0)


async def test_several_reasons_make_one_sentence(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    rows = things(1)
    rows[0][0], rows[0][2] = "", "很多"
    run = await imported(runtime, clerk, csv_of(rows))
    (rejected,) = rows_of((await clerk.get(f"{IMPORTS}/{run['id']}/errors.csv")).content)
    reasons = rejected["错误原因"]
    assert "编号：必填，请补充；金额(元)：" in reasons
    assert (reasons.count("。"), reasons[-1]) == (1, "。")


async def test_a_filled_in_template_is_imported_without_remarks(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    book = openpyxl.load_workbook(io.BytesIO((await clerk.get(f"{IMPORTS}/templates/{KIND}.xlsx")).content))
    book.worksheets[0].append(things(1)[0])
    book.create_sheet("旧名册").append(["另一张"])
    content = io.BytesIO()
    book.save(content)
    run = await imported(runtime, clerk, content.getvalue(), name="things.xlsx")
    assert run["rows_created"] == 1
    assert [notice["message"].split("未读取：")[1] for notice in run["notices"]] == ["旧名册。如需导入，请分别存为文件。"]
    del book["旧名册"]
    content = io.BytesIO()
    book.save(content)
    assert (await imported(runtime, clerk, content.getvalue(), name="things.xlsx"))["notices"] == []


async def test_thousands_of_unknown_columns_make_a_short_notice(runtime: Runtime, sign_in: SignIn) -> None:
    more = [f"多余{place}" for place in range(3_000)]
    content = csv_of([[*things(1)[0], *more]], [*HEADERS, *more])
    (notice,) = (await imported(runtime, sign_in("s001.clerk"), content))["notices"]
    assert "多余9 等 3000 列" in notice["message"]
    assert len(notice["message"]) < 200


async def test_hidden_sheets_are_left_out_and_named(runtime: Runtime, sign_in: SignIn) -> None:
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("旧名册")):
        sheet.append(HEADERS)
        sheet.append(things(1)[0])
    book["旧名册"].sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    run = await imported(runtime, sign_in("s001.clerk"), content.getvalue(), name="things.xlsx")
    assert run["rows_created"] == 1
    assert [notice["code"] for notice in run["notices"]] == ["sheets_unread"]
    assert "旧名册" in run["notices"][0]["message"]


async def test_sums_that_a_file_claims_are_compared(runtime: Runtime, sign_in: SignIn) -> None:
    rows = things(3)
    run = await imported(runtime, sign_in("s001.clerk"), csv_of([*rows, ["合计", "", "40.00", "", ""]]))
    assert run["rows_total"] == 3
    assert "totals_differ" in {notice["code"] for notice in run["notices"]}
