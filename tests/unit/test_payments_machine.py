"""Any number of batches, in any order of acts: no benefit is ever in two live batches, and the ledger holds what was released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from app.domain.access import Actor, AreaScope, Duty, Level, Signature
from app.domain.calendar import Month
from app.domain.errors import Conflict, Forbidden
from app.domain.identity import AccountKind
from app.domain.payments import service
from app.domain.payments.bankfile import BankItem, read_bank_file
from app.domain.payments.claims import memo_of
from app.domain.payments.model import (
    LIVE_STATES,
    Batch,
    BatchAct,
    BatchRequest,
    BatchState,
    Claim,
    DueLine,
    HeldReason,
    Payee,
    Totals,
)
from app.domain.payments.ports import Books
from app.domain.payments.workflow import next_acts
from tests.integration.payment_roll import card_number

T = TypeVar("T")
NOW = datetime(2026, 9, 1, tzinfo=UTC)
SCOPE = AreaScope("350702", "350702")
MONTHS = [Month(2026, 7), Month(2026, 8), Month(2026, 9)]


def run(step: Coroutine[Any, Any, T]) -> T:
    """The books below live in memory and never wait, so one push runs a use case to its end."""
    try:
        step.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("a use case waited")


@dataclass
class Taken:
    """A claim as the books keep it."""

    batch_id: UUID
    claim: Claim
    live: bool = True
    released: bool = False


@dataclass
class MemoryBooks:
    """Batches, claims and ledger in memory, with the constraints that the database holds."""

    due: dict[UUID, list[DueLine]] = field(default_factory=dict)
    accounts: dict[UUID, Payee] = field(default_factory=dict)
    stored: dict[UUID, Batch] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    posted: dict[UUID, int] = field(default_factory=dict)

    async def add(self, scope: AreaScope, request: BatchRequest, prepared: Signature, pay_by_on: date | None) -> Batch:
        number = len(self.stored) + 1
        batch = Batch(UUID(int=number), f"B{number}", request, BatchState.DRAFT, prepared, pay_by_on)
        self.stored[batch.id] = batch
        return batch

    async def get(self, scope: AreaScope, batch_id: UUID, *, lock: bool = False, share: bool = False) -> Batch:
        return self.stored[batch_id]

    async def save(self, scope: AreaScope, batch: Batch) -> Batch:
        if batch.approved is not None:
            assert not batch.is_own(batch.approved.by)
        saved = self.stored[batch.id] = replace(batch, version=batch.version + 1)
        return saved

    async def count_due(self, scope: AreaScope, request: BatchRequest) -> dict[str, int]:
        return {"350702001001": len(self.due)}

    def _is_free(self, line: DueLine) -> bool:
        key = (line.benefit_month, line.programme, line.subject_id)
        return all(not one.live or key_of(one.claim) != key for one in self.taken)

    async def list_due(self, scope: AreaScope, request: BatchRequest) -> list[DueLine]:
        lines = (line for lines in self.due.values() for line in lines)
        return [line for line in lines if line.benefit_month in request.months and self._is_free(line)]

    async def payees(self, scope: AreaScope, households: Sequence[UUID]) -> dict[UUID, Payee]:
        return {household: self.accounts[household] for household in households}

    async def take(
        self, scope: AreaScope, batch: Batch, claims: Sequence[Claim], payees: dict[UUID, Payee], now: datetime
    ) -> int:
        assert self.stored[batch.id].state is BatchState.COMPUTING
        self.taken += [Taken(batch.id, claim) for claim in claims]
        return len(claims)

    async def hold_shared_accounts(self, scope: AreaScope, batch: Batch) -> None:
        return None

    def _of(self, batch: Batch) -> list[Taken]:
        return [one for one in self.taken if one.batch_id == batch.id]

    async def void_held(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        for one in self._of(batch):
            one.live = one.live and one.claim.held_reason is None

    async def void_all(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        for one in self._of(batch):
            assert not one.released
            one.live = False

    def _paid(self, batch: Batch) -> list[Taken]:
        return [one for one in self._of(batch) if one.claim.held_reason is None]

    async def totals(self, scope: AreaScope, batch: Batch) -> Totals:
        total_fen = sum(one.claim.amount_fen for one in self._paid(batch))
        return Totals(items=len(self._paid(batch)), total_fen=total_fen, by_programme={"dibao": total_fen})

    async def list_payable(self, scope: AreaScope, batch: Batch, programme: str | None = None) -> list[BankItem]:
        return [
            BankItem(
                f"{one.claim.entitlement_id}/{one.claim.benefit_month}/{place}",
                self.accounts[one.claim.household_id].account or "",
                "户主",
                line.amount_fen,
                memo_of("dibao", line.cause),
            )
            for one in self._paid(batch)
            for place, line in enumerate(one.claim.lines)
        ]

    async def mark_released(self, scope: AreaScope, batch: Batch, now: datetime) -> None:
        for one in self._paid(batch):
            one.released = True

    async def post_release(self, scope: AreaScope, batch: Batch, posted: Signature) -> int:
        assert batch.id not in self.posted
        self.posted[batch.id] = sum(one.claim.amount_fen for one in self._paid(batch))
        return self.posted[batch.id]

    async def start(self, scope: AreaScope, batch: Batch, areas: Sequence[str], actor: Actor, now: datetime) -> UUID:
        raise AssertionError("everything is computed at once here")


def key_of(claim: Claim) -> tuple[Month, str, UUID]:
    return claim.benefit_month, claim.programme, claim.subject_id


def person(number: int, *duties: Duty) -> Actor:
    return Actor(UUID(int=number), f"u{number}", Level.DISTRICT, "350702", "350702", frozenset(duties))


PEOPLE = [
    person(1, Duty.FINANCE),
    person(2, Duty.FINANCE, Duty.APPROVER),
    person(3, Duty.APPROVER),
    person(4, Duty.TREASURY),
    person(5, Duty.APPROVER, Duty.TREASURY),
]
people = st.sampled_from(PEOPLE)
GIVING_UP = (BatchAct.REJECT, BatchAct.CANCEL)


class Batches(RuleBasedStateMachine):
    """Any acts by anybody in any order; refusals are part of the game."""

    batches: Bundle[UUID] = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryBooks()
        self.books = Books(self.memory, self.memory, self.memory)

    @initialize(amounts=st.lists(st.tuples(st.integers(1, 10**6), st.booleans()), min_size=1, max_size=4))
    def enrol(self, amounts: list[tuple[int, bool]]) -> None:
        for number, (amount_fen, has_account) in enumerate(amounts, start=1):
            household, entitlement = UUID(int=number), UUID(int=100 + number)
            self.memory.accounts[household] = (
                Payee(household, card_number(number), AccountKind.CARD, "户主") if has_account else Payee(household)
            )
            self.memory.due[entitlement] = [
                DueLine(entitlement, "dibao", "350702001001", household, household, month, part, None, amount_fen)
                for month in MONTHS
                for part in ("base", "uplift_elderly")
            ]

    @rule(target=batches, who=st.sampled_from(PEOPLE[:2]), span=st.sampled_from([(0, 0), (0, 2), (1, 1), (1, 2), (2, 2)]))
    def open_batch(self, who: Actor, span: tuple[int, int]) -> UUID:
        request = BatchRequest("350702", MONTHS[span[0]], MONTHS[span[1]], MONTHS[2], ("dibao",))
        return run(service.open_batch(self.books, SCOPE, request, who, pay_by_day=10, now=NOW)).id

    @rule(household=st.integers(1, 4))
    def bring_an_account(self, household: int) -> None:
        if UUID(int=household) in self.memory.accounts:
            payee = Payee(UUID(int=household), card_number(household), AccountKind.CARD, "户主")
            self.memory.accounts[UUID(int=household)] = payee

    @rule(batch=batches, act=st.sampled_from(BatchAct), who=people)
    def do(self, batch: UUID, act: BatchAct, who: Actor) -> None:
        before = self.memory.stored[batch]
        try:
            run(self._act(batch, act, who))
        except (Conflict, Forbidden):
            assert self.memory.stored[batch] == before

    @rule(batch=batches, times=st.integers(1, 6))
    def carry_on(self, batch: UUID, times: int) -> None:
        """Steps forward by somebody who may take them; chance alone would seldom get as far as a release."""
        for _ in range(times):
            stored = self.memory.stored[batch]
            steps = [(act, who) for who in PEOPLE for act in next_acts(stored, who) if act not in GIVING_UP]
            if not steps:
                return
            self.do(batch, *steps[0])

    def _act(self, batch: UUID, act: BatchAct, who: Actor) -> Coroutine[Any, Any, Batch]:
        signed = {BatchAct.SUBMIT: service.submit, BatchAct.APPROVE: service.approve, BatchAct.RELEASE: service.release}
        if act in signed:
            return signed[act](self.books, SCOPE, batch, who, version=None, now=NOW)
        if act is BatchAct.COMPUTE:
            return self._compute(batch, who)
        if act is BatchAct.SEND_TO_TREASURY:
            return service.pass_to_treasury(self.books, SCOPE, batch, who, version=None)
        told = service.close if act in GIVING_UP else service.answer_of_treasury
        return told(self.books, SCOPE, batch, act, who, version=None, reason="理由", now=NOW)

    def _compute(self, batch: UUID, who: Actor) -> Coroutine[Any, Any, Batch]:
        return service.compute(
            self.books, self.memory, SCOPE, batch, who, version=None, inline_limit=99, in_background=False, now=NOW
        )

    @invariant()
    def no_benefit_is_in_two_live_batches(self) -> None:
        live = Counter(key_of(one.claim) for one in self.memory.taken if one.live)
        assert set(live.values()) <= {1}
        for one in self.memory.taken:
            assert not one.live or self.memory.stored[one.batch_id].state in LIVE_STATES

    @invariant()
    def what_is_held_is_not_claimed(self) -> None:
        assert all(one.claim.held_reason in (None, HeldReason.ACCOUNT_MISSING) for one in self.memory.taken)
        assert not any(one.live and one.claim.held_reason for one in self.memory.taken)

    @invariant()
    def the_ledger_holds_what_was_released(self) -> None:
        released = {batch.id: batch for batch in self.memory.stored.values() if batch.state is BatchState.RELEASED}
        assert set(self.memory.posted) == set(released)
        for batch_id, batch in released.items():
            _, file = run(service.bank_file(self.books, SCOPE, batch_id, "generic", None))
            assert self.memory.posted[batch_id] == batch.totals.total_fen == read_bank_file(file.content).total_fen
            assert batch.approved is not None
            assert not batch.is_own(batch.approved.by)
            assert batch.released is not None
            assert not batch.is_own(batch.released.by)
        paid = sum(one.claim.amount_fen for one in self.memory.taken if one.released)
        assert paid == sum(self.memory.posted.values())


TestBatches = Batches.TestCase
TestBatches.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
