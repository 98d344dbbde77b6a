"""No answer of a GET shows an ID number, a bank account, a phone number or an address in full (scorecard 17).

Every route of the OpenAPI × every demo account, within the account's own area, looked at twice: for the plain values of everybody
in the demo, and for anything of the shape of one. In full they are shown on demand, with a purpose, on record; and in the file
for the bank, to finance.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from pypdf import PdfReader
from sqlalchemy import text

from app.domain.imports.registry import KINDS
from app.security.fields import Field
from tests.system.conftest import Caller, Demo
from tests.system.test_matrix import AREAS, NAMES, filled, operations, parameter_of, resources

__all__ = ["resources"]  # a fixture
pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

SHAPES = {
    "ID number": re.compile(r"(?<![\w.-])[1-9]\d{16}[\dXx](?![\w.-])"),
    "bank account": re.compile(r"(?<![\w.-])\d{16,19}(?![\w.-])"),
    "phone": re.compile(r"(?<![\w.-])1\d{10}(?![\w.-])"),
}
NUMBER = re.compile(r"\d{6,}[\dXx]")
BANK_FILE = "/api/v1/payment-batches/{batch_id}/bank-file"
PLAIN = (
    ("person", "id_number_sealed", Field.ID_NUMBER, "person_uid"),
    ("person", "phone_sealed", Field.PHONE, "person_uid"),
    ("person", "address_sealed", Field.ADDRESS, "person_uid"),
    ("household", "address_sealed", Field.ADDRESS, "id"),
    ("household", "bank_account_sealed", Field.BANK_ACCOUNT, "id"),
    ("informant", "phone_sealed", Field.PHONE, "id"),
)
#: A district, a station and a bureau look every time, everybody in the long tests.
LOOKED_THROUGH = {"district.reviewer", "bureau-housing", "s001.clerk"}
SEVERAL = [name if name in LOOKED_THROUGH else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
DEMO_ONLY = {"informant": "phone_masked LIKE '169%'"}  # by the prefix of the demo's phones

WHOLE_VALUE = 6
# What the templates of imports show by way of example: nobody's.
EXAMPLES = frozenset(
    column.example
    for kind in KINDS.values()
    for column in kind.columns
    if any(shape.fullmatch(column.example) for shape in SHAPES.values())
)


@dataclass(frozen=True)
class Secrets:
    """Every plain value of the demo, in one pattern."""

    values: frozenset[str]

    def shown_in(self, answer: httpx.Response) -> list[str]:
        shown = content_of(answer)
        for example in EXAMPLES:
            shown = shown.replace(example, "")
        found = [f"{kind}: {match.group()}" for kind, shape in SHAPES.items() for match in shape.finditer(shown)]
        return found + self.values_in(shown)

    def values_in(self, shown: str) -> list[str]:
        numbers = self.values.intersection(NUMBER.findall(shown))
        return [*numbers, *(value for value in self.values if NUMBER.fullmatch(value) is None and value in shown)]


def content_of(answer: httpx.Response) -> str:
    """Body and headers; what is packed, unpacked."""
    body = answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            body = b"\n".join(packed.read(name) for name in packed.namelist())
    if body.startswith(b"%PDF-"):
        body = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).encode()
    return f"{answer.headers}\n{body.decode('gb18030' if 'gb18030' in str(answer.headers).lower() else 'utf-8', 'replace')}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secrets(demo: Demo) -> Secrets:
    values: set[str] = set()
    async with demo.owner.connect() as connection:
        for table, column, field, owner in PLAIN:
            # the demo's own people: other tests register the published examples
            kept = f"{column} IS NOT NULL AND {DEMO_ONLY.get(table, 'synthetic')}"
            rows = await connection.execute(text(f"SELECT {owner}, {column} FROM {table} WHERE {kept}"))
            values |= {demo.runtime.cipher.open(field, uid, sealed) for uid, sealed in rows}
    assert len(values) > 500
    return Secrets(frozenset(values))


def own(caller: Caller, found: dict[tuple[str, str], tuple[str, str]], parameter: str | None) -> list[str]:
    """Resources of the kind inside the caller's area."""
    return [identifier for (kind, _), (identifier, area) in found.items() if kind == parameter and area.startswith(caller.area)]


@pytest.mark.parametrize("name", SEVERAL)
async def test_no_get_shows_anything_in_full(
    demo: Demo, resources: dict[tuple[str, str], tuple[str, str]], secrets: Secrets, name: str
) -> None:
    caller, answered = demo.callers[name], 0
    for method, path, operation in operations(demo):
        if method != "GET" or path == BANK_FILE or not caller.duties & set(operation["x-duties"]):
            continue
        parameter = parameter_of(path)
        names = {p["name"] for p in operation.get("parameters", ())}
        for identifier in own(caller, resources, parameter) if parameter else [""]:
            asked = filled(path, identifier)
            answer = await caller.http.get(asked, params={"limit": 200} if "limit" in names else None)
            assert secrets.shown_in(answer) == [], f"{path} {name}"
            answered += answer.status_code == 200
    assert answered > 0


async def test_the_people_found_and_their_lists_are_masked(demo: Demo, secrets: Secrets) -> None:
    """Where the number was asked for, it is still not said back."""
    clerk = demo.callers["s001.clerk"]
    page = await clerk.http.get("/api/v1/persons", params={"limit": 200})
    for person in page.json()["items"][:20]:
        found = await clerk.http.post("/api/v1/persons/search", json={"name": person["name"]})
        assert found.json()["items"]
        assert secrets.shown_in(found) == []


async def test_the_scan_sees_what_is_revealed(demo: Demo, secrets: Secrets) -> None:
    clerk = demo.callers["s001.clerk"]
    person = (await clerk.http.get("/api/v1/persons", params={"area_code": AREAS["community"]})).json()["items"][0]
    params = {"reveal": "id_number", "purpose": "核对身份"}
    shown = secrets.shown_in(await clerk.http.get(f"/api/v1/persons/{person['id']}", params=params))
    assert any(found.startswith("ID number") for found in shown)
    assert len(shown) >= 2, "by its shape and by its value"
    unpurposed = await clerk.http.get(f"/api/v1/persons/{person['id']}", params={"reveal": "id_number"})
    assert unpurposed.status_code == 422
    assert secrets.shown_in(unpurposed) == []


@pytest.mark.parametrize("name", NAMES)
async def test_the_bank_file_is_for_finance_only(
    demo: Demo, resources: dict[tuple[str, str], tuple[str, str]], secrets: Secrets, name: str
) -> None:
    caller = demo.callers[name]
    for batch in {identifier for (kind, _), (identifier, _) in resources.items() if kind == "batch_id"}:
        answer = await caller.http.get(filled(BANK_FILE, batch))
        if "finance" not in caller.duties:
            assert answer.status_code == 403
        if answer.status_code != 200:
            assert secrets.shown_in(answer) == []
        else:
            assert caller.duties == {"finance"}
            assert not any(shape in found for found in secrets.shown_in(answer) for shape in ("ID number", "phone"))


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/.well-known/jwks.json", "/api/v1/codes"])
async def test_what_is_public_shows_nobody(demo: Demo, secrets: Secrets, path: str) -> None:
    answer = await public(demo, path)
    assert answer.status_code == 200
    assert secrets.shown_in(answer) == []


async def test_the_examples_of_the_contract_are_nobodys(demo: Demo, secrets: Secrets) -> None:
    shown = secrets.values_in((await public(demo, "/openapi.json")).text)
    assert [value for value in shown if len(value) >= WHOLE_VALUE] == []  # an address of two characters is anybody's


async def public(demo: Demo, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as nobody:
        return await nobody.get(path)
