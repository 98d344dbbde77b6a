"""What casework remembers: frozen values. Amounts in fen, months as ``Month``, periods half-open."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DueComponent:
    """One component that an entitlement is worth in one benefit month: what payments pay.

    ``person_id``: whose entitlement it is (per-person programmes, else None); ``component_person_id``: whom an uplift is for.
    """

    entitlement_id: UUID
    number: str
    programme: str
    category: str
    area_code: str
    household_id: UUID
    person_id: UUID | None
    component: str
    component_person_id: UUID | None
    amount_fen: int
