"""The demo's data-sharing agreements: generous ones, so that a newcomer's first query is answered. Idempotent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.base import columns
from app.db.session import transaction
from app.db.tables.accounts import Client
from app.db.tables.sharing import SharingAgreement
from app.demo.accounts import CLIENTS, DISTRICT, demo_id
from app.domain.access import AreaScope
from app.domain.sharing import ANSWER_FIELDS
from app.runtime import Runtime

# In force with the regulation on data sharing itself (政务数据共享条例, 2025-08-01).
VALID_FROM, VALID_UNTIL = date(2025, 8, 1), date(2036, 1, 1)
QUOTA_PER_DAY = 10_000

_HOUSEHOLDS = ("dibao", "dibao_single", "dibao_edge", "rigid_expense", "tekun", "temporary")
_DISABILITY = ("disability_living", "disability_care")
_CHILDREN = ("orphan", "unsupported_child")

CLIENT = columns(Client)

# What a bureau writes as its purpose is its own wording, so the demo's agreements name the business and leave the rest open
# (``*``). A purpose that has nothing to do with it ("marketing") is still outside. A real agreement names each purpose.
_CHECKING = ("*资格*", "*审核*", "*核查*", "*核对*", "*核验*", "*核实*", "*复核*", "*eligibility*", "*verif*", "*means*test*")
_HOUSING = ("*住房*", "*公租*", "*廉租*", "*保障房*", "*安居*", "*租金*", "*租赁*", "*危房*", "*housing*", "*rent*", "*tenan*")
_SCHOOLS = (
    "*教育*",
    "*学生*",
    "*助学*",
    "*学费*",
    "*入学*",
    "*就学*",
    "*资助*",
    "*educat*",
    "*school*",
    "*student*",
    "*tuition*",
    "*scholar*",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Programmes and purposes agreed with a demo client."""

    programmes: tuple[str, ...]
    purposes: tuple[str, ...]


TERMS = {
    "bureau-housing": Terms((*_HOUSEHOLDS, *_DISABILITY, "old_age"), ("public_rental_housing", *_HOUSING, *_CHECKING)),
    "bureau-education": Terms((*_HOUSEHOLDS, *_DISABILITY, *_CHILDREN), ("student_aid", *_SCHOOLS, *_CHECKING)),
}


async def load_agreements(runtime: Runtime) -> None:
    """One agreement for each demo client, over the whole district. The clients must be there already."""
    async with transaction(runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
        wanted = [client.client_id for client in CLIENTS]
        found = await session.execute(select(CLIENT.client_id, CLIENT.id).where(CLIENT.client_id.in_(wanted)))
        rows = [_row(client_id, identifier, TERMS[client_id]) for client_id, identifier in found]
        await session.execute(insert(SharingAgreement).on_conflict_do_nothing(), rows)


def _row(client_id: str, identifier: UUID, terms: Terms) -> dict[str, object]:
    return {
        "district": DISTRICT,
        "id": demo_id(f"agreement:{client_id}"),
        "area_code": DISTRICT,
        "client_id": identifier,
        "programmes": list(terms.programmes),
        "purposes": list(terms.purposes),
        "fields": list(ANSWER_FIELDS),
        "quota_per_day": QUOTA_PER_DAY,
        "valid_from": VALID_FROM,
        "valid_until": VALID_UNTIL,
        "created_at": datetime.now(UTC),
        "created_by": "demo",
    }
