"""The acts of the registry, each told in order: check, lock, look, decide, save, put on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.errors import Conflict, FieldError
from app.domain.registry import refusals
from app.domain.registry.entry import (
    HouseholdChange,
    HouseholdEntry,
    MemberEntry,
    PersonChange,
    Registration,
    check_change,
    check_day,
    check_entered_relations,
    check_household,
    check_household_change,
    malformed,
)
from app.domain.registry.membership import (
    check_heads,
    check_relations,
    ended,
    overlapping,
    present_stay,
    replaced,
    with_new_head,
)
from app.domain.registry.model import HouseholdRecord, Membership, PersonRecord, Relation
from app.domain.registry.ports import Areas, Claim, Households, Identities, NewStay, People, Trail


@dataclass(frozen=True)
class Registry:
    """The registry at one caller's desk, in one transaction. ``today`` is the business date, ``now`` the moment.

    Writers lock people first (by id), then households (by id): the same order everywhere, so that no two wait for each other.
    """

    scope: AreaScope
    actor_id: UUID
    today: date
    now: datetime
    identities: Identities
    people: People
    households: Households
    areas: Areas
    trail: Trail

    # people

    async def register(self, registration: Registration, *, clock: datetime) -> PersonRecord:
        """Registers a person. ``clock`` is the real moment, for the throttle.

        ``NotFound`` area_not_found; ``DuplicateRegistration``; ``TooManyRequests`` too_many_duplicates.
        """
        attempts = await self.identities.attempts_elsewhere(self.actor_id, clock - refusals.ELSEWHERE_WINDOW)
        refusals.refuse_over_limit(attempts, clock)
        await self._community(registration.area_code)
        claim = await self.identities.claim(registration.id_number.value)
        if claim.home is not None:
            raise await self._duplicate(claim, claim.home)
        await self.identities.settle(self.scope, claim.person_uid, registration.area_code, self.now)
        person_id = await self.people.add(self.scope, claim.person_uid, registration, by=self.actor_id, now=self.now)
        await self.trail.note("person.register", "person", person_id, registration.area_code)
        return await self.people.get(self.scope, person_id, self.today)

    async def _duplicate(self, claim: Claim, home: tuple[str, str]) -> refusals.DuplicateRegistration:
        district, area_code = home
        if district == self.scope.district and self.scope.covers(area_code):
            person_id = await self.people.find_id(self.scope, claim.person_uid)
            if person_id is not None:
                return refusals.registered_here(person_id, area_code, await self.areas.name_of(area_code))
        return refusals.registered_elsewhere()

    async def change_person(self, person_id: UUID, change: PersonChange, expected: int | None) -> PersonRecord:
        """Changes the given details; facts over time get a new row from ``valid_from`` on, one of the same day is superseded."""
        person = await self.people.get_locked(self.scope, person_id, self.today)
        refusals.check_version(expected, person.version)
        number = await self.people.id_number(self.scope, person_id)
        check_change(change, id_number=number, birth_date=person.birth_date, today=self.today)
        await self.people.change(self.scope, person_id, change, by=self.actor_id, now=self.now)
        await self.trail.note("person.change", "person", person_id, person.area_code, sorted(change.given))
        return await self.people.get(self.scope, person_id, self.today)

    # households

    async def open_household(self, entry: HouseholdEntry) -> HouseholdRecord:
        """Opens a household with its first members, exactly one of them its head, whom no relation contradicts."""
        check_household(entry, today=self.today)
        await self._community(entry.area_code)
        people = await self._lock_people(entry.members, [f"/members/{place}/since" for place in range(len(entry.members))])
        check_entered_relations(entry.members, {person.id: person.birth_date for person in people.values()})
        sources = await self._sources(entry.members)
        household_id = await self.households.add(self.scope, entry, by=self.actor_id, now=self.now)
        await self._admit(household_id, entry.area_code, entry.members, people, sources)
        await self.trail.note("household.open", "household", household_id, entry.area_code)
        return await self.households.get(self.scope, household_id, self.today)

    async def change_household(self, household_id: UUID, change: HouseholdChange, expected: int | None) -> HouseholdRecord:
        check_household_change(change.details)
        household = await self._lock_household(household_id, expected)
        await self.households.change(self.scope, household_id, change, now=self.now)
        await self.trail.note("household.change", "household", household_id, household.area_code, sorted(change.given))
        return await self.households.get(self.scope, household_id, self.today)

    async def admit_member(self, household_id: UUID, entry: MemberEntry, expected: int | None) -> HouseholdRecord:
        """Somebody joins; with ``move`` he leaves his present household on the same day."""
        check_day(entry.since, self.today, "/since")
        people = await self._lock_people([entry], ["/since"])
        sources = await self._sources([entry], household_id)
        household = await self.households.get(self.scope, household_id, self.today)
        refusals.check_version(expected, household.version)
        await self._admit(household_id, household.area_code, [entry], people, sources)
        return await self._done("household.admit", household)

    async def release_member(self, household_id: UUID, person_id: UUID, on: date, expected: int | None) -> HouseholdRecord:
        """Somebody leaves: ``on`` is the first day he belongs no more; on his first day it voids the membership."""
        check_day(on, self.today, "/on")
        await self.people.list_locked(self.scope, [person_id])
        household = await self._lock_household(household_id, expected)
        stays = await self.households.stays_in(self.scope, household_id)
        stay = present_stay(stays, person_id)
        if stay is None:
            raise refusals.member_not_found()
        end = ended(stay, on)
        check_heads(replaced(stays, [end]))
        await self.households.end_stay(self.scope, end)
        return await self._done("household.release", household)

    async def change_head(
        self, household_id: UUID, new_head: UUID, relations: dict[UUID, Relation], on: date, expected: int | None
    ) -> HouseholdRecord:
        """Another member becomes the head from ``on``; ``relations`` says how the others stand to him."""
        check_day(on, self.today, "/on")
        household = await self._lock_household(household_id, expected)
        stays = await self.households.stays_in(self.scope, household_id)
        if any(present_stay(stays, person_id) is None for person_id in (new_head, *relations)):
            raise refusals.member_not_found()
        ends, goes_on = with_new_head(stays, new_head, relations, on)
        for end in ends:
            await self.households.end_stay(self.scope, end)
        added = [await self._add_stay(household, person_id, relation, on) for person_id, relation in goes_on]
        await self._check_members(replaced(stays, [*ends, *added]), added)
        return await self._done("household.change_head", household)

    # what the acts share

    async def _community(self, area_code: str) -> str:
        name = await self.areas.find_community(self.scope, area_code, self.today)
        if name is None:
            raise refusals.area_not_found()
        return name

    async def _lock_people(self, entries: Sequence[MemberEntry], pointers: Sequence[str]) -> dict[UUID, PersonRecord]:
        found = await self.people.list_locked(self.scope, [entry.person_id for entry in entries])
        people = {person.id: person for person in found}
        if len(people) < len({entry.person_id for entry in entries}):
            raise refusals.person_not_found()
        early = [
            FieldError(pointer, "before_birth", "加入日期早于出生日期，请核对。")
            for entry, pointer in zip(entries, pointers, strict=True)
            if entry.since < people[entry.person_id].birth_date
        ]
        if early:
            raise malformed(early)
        return people

    async def _lock_household(self, household_id: UUID, expected: int | None) -> HouseholdRecord:
        await self.households.lock(self.scope, [household_id])
        household = await self.households.get(self.scope, household_id, self.today)
        refusals.check_version(expected, household.version)
        return household

    async def _sources(self, entries: Iterable[MemberEntry], target: UUID | None = None) -> dict[UUID, Membership]:
        """The stays that ``move`` ends, by person; their households and the target are locked with them."""
        wanted = {entry.person_id: entry for entry in entries}
        stays = await self.households.stays_of_people(self.scope, wanted)
        leaving: dict[UUID, Membership] = {}
        for person_id, entry in wanted.items():
            clash = overlapping([stay for stay in stays if stay.person_id == person_id], entry.since)
            if not clash:
                continue
            if len(clash) > 1 or clash[0].household_id == target or not entry.move or clash[0].valid_until is not None:
                raise await self._clash(clash[0], target)
            leaving[person_id] = clash[0]
        households = {stay.household_id for stay in leaving.values()} | ({target} if target else set())
        await self.households.lock(self.scope, households)
        return leaving

    async def _clash(self, stay: Membership, target: UUID | None) -> Conflict:
        if stay.household_id == target:
            return Conflict("already_a_member", "此人在该期间已是本家庭成员，请读取成员名单核对日期。")
        household = await self.households.get(self.scope, stay.household_id, self.today)
        return refusals.in_other_household(household.id, household.household_no)

    async def _admit(
        self,
        household_id: UUID,
        area_code: str,
        entries: Sequence[MemberEntry],
        people: dict[UUID, PersonRecord],
        sources: dict[UUID, Membership],
    ) -> None:
        since = {entry.person_id: entry.since for entry in entries}
        await self._leave(sources, since)
        before = await self.households.stays_in(self.scope, household_id)
        added = [
            await self.households.add_stay(
                self.scope,
                NewStay(household_id, area_code, entry.person_id, entry.relation, entry.since),
                by=self.actor_id,
                now=self.now,
            )
            for entry in entries
        ]
        await self._check_members([*before, *added], added)
        await self._relocate([person for person in people.values() if person.area_code != area_code], area_code)

    async def _check_members(self, stays: Sequence[Membership], added: Sequence[Membership]) -> None:
        """One head at every moment, and no relation among the added ones that contradicts him."""
        check_heads(stays)
        births = await self.people.birth_dates(self.scope, {stay.person_id for stay in stays})
        check_relations(stays, added, births)

    async def _leave(self, sources: dict[UUID, Membership], since: dict[UUID, date]) -> None:
        for person_id, stay in sources.items():
            await self.households.end_stay(self.scope, ended(stay, since[person_id]))
        for household_id in sorted({stay.household_id for stay in sources.values()}):
            check_heads(await self.households.stays_in(self.scope, household_id))
            household = await self.households.get(self.scope, household_id, self.today)
            await self._put_on_record("household.release", household)

    async def _relocate(self, people: Sequence[PersonRecord], area_code: str) -> None:
        """A member lives in the household's community: his rows go where its community worker sees them."""
        await self.people.relocate(self.scope, [person.id for person in people], area_code, self.now)
        for person in people:
            await self.identities.settle(self.scope, person.person_uid, area_code, self.now)

    async def _add_stay(self, household: HouseholdRecord, person_id: UUID, relation: Relation, on: date) -> Membership:
        stay = NewStay(household.id, household.area_code, person_id, relation, on)
        return await self.households.add_stay(self.scope, stay, by=self.actor_id, now=self.now)

    async def _done(self, action: str, household: HouseholdRecord) -> HouseholdRecord:
        await self._put_on_record(action, household)
        return await self.households.get(self.scope, household.id, self.today)

    async def _put_on_record(self, action: str, household: HouseholdRecord) -> None:
        await self.households.touch(self.scope, [household.id], self.now)
        await self.trail.note(action, "household", household.id, household.area_code, ("members",))
