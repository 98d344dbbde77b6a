"""The acts on the register of officials, each told in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.errors import FieldError
from app.domain.identity import IdentityFault, find_name_fault, parse_id_number
from app.domain.officials import refusals
from app.domain.officials.model import OfficialRecord, Post, RelativeEntry
from app.domain.officials.ports import Areas, Officials, Trail


@dataclass(frozen=True)
class OfficialRegister:
    """The register at one caller's desk, in one transaction."""

    scope: AreaScope
    actor_id: UUID
    today: date
    now: datetime
    officials: Officials
    areas: Areas
    trail: Trail

    async def register(self, post: Post, id_number: str, relatives: Sequence[RelativeEntry]) -> OfficialRecord:
        """``NotFound`` area_not_found; ``Conflict`` official_registered."""
        number, checked = check_entry(post, id_number, relatives, self.today)
        await self._require_area(post.area_code)
        await self.officials.lock_numbers(self.scope, [number, *(relative.id_number for relative in checked)])
        known = await self.officials.find_by_number(self.scope, number)
        if known is not None:
            raise refusals.official_registered(known, (await self.officials.get(self.scope, known)).post.name)
        official_id = await self.officials.add(self.scope, post, number, by=self.actor_id, now=self.now)
        await self.officials.add_relatives(self.scope, official_id, post.area_code, checked, self.now)
        await self.trail.note("official.register", "official", official_id, post.area_code)
        return await self.officials.get(self.scope, official_id)

    async def change(self, official_id: UUID, change: Mapping[str, str], expected: int | None) -> OfficialRecord:
        """New values of the given fields of ``Post``; the others stay."""
        official = await self._locked(official_id, expected)
        post = replace(official.post, **change)
        errors = _name_errors(post.name, "/name")
        if errors:
            raise refusals.malformed(errors)
        if post.area_code != official.post.area_code:
            await self._require_area(post.area_code)
        await self.officials.change(self.scope, official_id, post, self.now)
        await self.trail.note("official.change", "official", official_id, post.area_code, sorted(change))
        return await self.officials.get(self.scope, official_id)

    async def withdraw(self, official_id: UUID, expected: int | None) -> None:
        """Registered in error, or out of office: numbers are kept no longer than needed (个人信息保护法 第四十七条)."""
        official = await self._locked(official_id, expected)
        await self.officials.remove(self.scope, official_id)
        await self.trail.note("official.withdraw", "official", official_id, official.post.area_code)

    async def declare_relative(self, official_id: UUID, entry: RelativeEntry, expected: int | None) -> OfficialRecord:
        """One more near relative. ``Conflict`` relative_declared."""
        official = await self._locked(official_id, expected)
        own, *declared = await self.officials.numbers_of(self.scope, official_id)
        (checked,) = _checked_relatives([entry], own, self.today, "")
        await self.officials.lock_numbers(self.scope, [checked.id_number])
        if checked.id_number in declared:
            raise refusals.relative_declared(checked.name)
        await self.officials.add_relatives(self.scope, official_id, official.post.area_code, [checked], self.now)
        await self.trail.note("official.declare_relative", "official", official_id, official.post.area_code, ("relatives",))
        return await self.officials.get(self.scope, official_id)

    async def withdraw_relative(self, official_id: UUID, relative_id: UUID, expected: int | None) -> OfficialRecord:
        """A declaration made in error, or a tie that has ended."""
        official = await self._locked(official_id, expected)
        if not await self.officials.remove_relative(self.scope, official_id, relative_id, self.now):
            raise refusals.relative_not_found()
        await self.trail.note("official.withdraw_relative", "official", official_id, official.post.area_code, ("relatives",))
        return await self.officials.get(self.scope, official_id)

    async def _locked(self, official_id: UUID, expected: int | None) -> OfficialRecord:
        numbers = await self.officials.numbers_of(self.scope, official_id)
        await self.officials.lock_numbers(self.scope, numbers[:1])
        official = await self.officials.get(self.scope, official_id)
        refusals.check_version(expected, official.version)
        return official

    async def _require_area(self, area_code: str) -> None:
        if not await self.areas.is_area(self.scope, area_code, self.today):
            raise refusals.area_not_found()


def check_entry(post: Post, id_number: str, relatives: Sequence[RelativeEntry], today: date) -> tuple[str, list[RelativeEntry]]:
    """The number and the relatives with theirs, normalised. Raises ``Malformed`` with every finding."""
    errors = _name_errors(post.name, "/name")
    number = id_number
    try:
        number = parse_id_number(id_number, as_of=today).value
    except IdentityFault as fault:
        errors.append(fault.at("/id_number"))
    if errors:
        raise refusals.malformed(errors)
    return number, _checked_relatives(relatives, number, today, "/relatives/{place}")


def _checked_relatives(relatives: Sequence[RelativeEntry], own: str, today: date, pointer: str) -> list[RelativeEntry]:
    checked: list[RelativeEntry] = []
    errors: list[FieldError] = []
    for place, entry in enumerate(relatives):
        at = pointer.format(place=place)
        errors += _name_errors(entry.name, f"{at}/name")
        try:
            number = parse_id_number(entry.id_number, as_of=today).value
        except IdentityFault as fault:
            errors.append(fault.at(f"{at}/id_number"))
            continue
        if number == own:
            errors.append(FieldError(f"{at}/id_number", "own_relative", "近亲属的身份证号与本人相同，请核对。"))
        if any(number == other.id_number for other in checked):
            errors.append(FieldError(f"{at}/id_number", "repeated", "同一近亲属填写了两次，请删除重复的一行。"))
        checked.append(replace(entry, id_number=number))
    if errors:
        raise refusals.malformed(errors)
    return checked


def _name_errors(name: str, pointer: str) -> list[FieldError]:
    fault = find_name_fault(name)
    return [] if fault is None else [FieldError(pointer, "name_wrong", fault)]
