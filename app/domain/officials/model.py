"""Officials and their relatives: what is entered, and what is on file with the numbers masked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

#: 近亲属 (民法典 第一千零四十五条)
Relation = Literal["spouse", "parent", "child", "sibling", "grandparent", "grandchild"]


@dataclass(frozen=True, slots=True)
class RelativeEntry:
    """A near relative as declared, with the plain number."""

    relation: Relation
    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Post:
    """What may change about an official. ``area_code``: where the post is held (6, 9 or 12 digits)."""

    name: str
    organisation: str
    position: str
    area_code: str


@dataclass(frozen=True, slots=True)
class RelativeRecord:
    """A relative on file."""

    id: UUID
    relation: Relation
    name: str
    id_number_masked: str
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class OfficialRecord:
    """An official on file."""

    id: UUID
    post: Post
    id_number_masked: str
    version: int
    relatives: tuple[RelativeRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class OfficialTie:
    """How a registered person stands to an official; ``relation`` None: he is one himself."""

    official_id: UUID
    official_name: str
    organisation: str
    position: str
    relation: Relation | None
