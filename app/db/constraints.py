"""Constraint names → the refusals they stand for, so that races end in a clear answer and not in a 500."""

from __future__ import annotations

import asyncpg
from sqlalchemy import exc

from app.domain.errors import Conflict, DomainError

MEANING: dict[str, tuple[str, str]] = {
    "ex_household_member_one_household": ("person_in_other_household", "此人在该期间已是另一家庭的成员，请先在原家庭办理迁出。"),
    "ex_household_member_one_head": ("household_has_head", "该家庭已有户主，请先变更原户主与户主的关系。"),
    "uq_household_member_one_household": ("person_in_other_household", "此人在该期间已是另一家庭的成员，请先在原家庭办理迁出。"),
    "uq_household_member_one_head": ("household_has_head", "该家庭已有户主，请先变更原户主与户主的关系。"),
    "pk_identity_key": ("person_already_registered", "该身份证号已登记，请勿重复登记。"),
    "uq_household_district_household_no": ("household_no_taken", "户编号已被使用，请更换户编号。"),
    "uq_account_username": ("username_taken", "用户名已被使用，请更换用户名。"),
    "uq_client_client_id": ("client_id_taken", "客户端编号已被使用，请更换。"),
}


def register_constraint(name: str, code: str, detail: str) -> None:
    """Lets an area of the domain name the meaning of its own constraints."""
    MEANING[name] = (code, detail)


def constraint_name(error: exc.DBAPIError) -> str | None:
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None)


def is_still_referred_to(error: Exception) -> bool:
    """Whether a foreign key stands in the way, said by SQLAlchemy or by the driver itself."""
    return isinstance(error, asyncpg.ForeignKeyViolationError) or (
        isinstance(error, exc.IntegrityError) and getattr(error.orig, "sqlstate", None) == "23503"
    )


# What another transaction can make true while ours runs: unique, exclusion and foreign keys. A missing or impossible value
# (NOT NULL, CHECK) that has no meaning above is our own fault and must not look like the caller's.
RACED = ("23505", "23P01", "23503")


def conflict_of(error: exc.DBAPIError) -> DomainError | None:
    """The refusal behind a violated constraint; None for anything else."""
    if not isinstance(error, exc.IntegrityError):
        return None
    meaning = MEANING.get(constraint_name(error) or "")
    if meaning is None and getattr(error.orig, "sqlstate", None) in RACED:
        meaning = ("conflicting_data", "与已有数据冲突，请刷新后核对再提交。")
    return Conflict(*meaning) if meaning else None
