"""Random households for the properties: any combination of facts that the door lets in."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from app.domain.eligibility import AssessmentQuestion, Context, Household, Member
from app.domain.eligibility.facts import (
    Absence,
    Asset,
    AssetKind,
    Disability,
    DisabilityCategory,
    Emergency,
    EmergencyKind,
    Employment,
    Expense,
    ExpenseKind,
    Holding,
    Income,
    IncomeKind,
    MedicalClaim,
    Obligor,
    ParentFact,
    ParentStatus,
    Relation,
    Residence,
    Study,
)

AREAS = ("350702001001", "340882100002")
COUNTED = (IncomeKind.WAGE, IncomeKind.PROPERTY_NET, IncomeKind.TRANSFER_NET, IncomeKind.OTHER)

amounts = st.integers(0, 200_000)
business_dates = st.dates(date(2025, 1, 1), date(2027, 12, 31))
birth_dates = st.dates(date(1925, 1, 1), date(2024, 12, 31))
disabilities = st.builds(Disability, st.sampled_from(DisabilityCategory), st.integers(1, 4), st.booleans())
incomes = st.builds(Income, st.sampled_from(IncomeKind), amounts)
assets = st.builds(Asset, st.sampled_from(AssetKind), st.integers(0, 6_000_000), st.integers(0, 1_000_000))
expenses = st.builds(
    Expense,
    st.sampled_from(ExpenseKind),
    st.integers(0, 6_000_000),
    st.integers(0, 1_000_000),
    st.none() | amounts,
    st.none() | st.dates(date(2024, 1, 1), date(2027, 12, 31)),
)
RELATIONS = [relation for relation in Relation if relation not in (Relation.HEAD, Relation.SPOUSE)]


@st.composite
def members(draw: st.DrawFn, ref: str, relation: Relation) -> Member:
    present = relation is Relation.HEAD or draw(st.integers(0, 5)) > 0
    return Member(
        ref=ref,
        relation=relation,
        birth_date=draw(birth_dates),
        absence=None if present else draw(st.sampled_from(Absence)),
        study=draw(st.none() | st.sampled_from(Study)),
        employment=draw(st.none() | st.sampled_from(Employment)),
        employable=draw(st.booleans()),
        job_offers_refused=draw(st.integers(0, 4)),
        disability=draw(st.none() | disabilities),
        serious_illness=draw(st.booleans()),
        self_care_failed_items=draw(st.integers(0, 6)),
        incomes=tuple(draw(st.lists(incomes, max_size=3))),
    )


@st.composite
def families(draw: st.DrawFn) -> Household:
    relations = [Relation.HEAD, *draw(st.lists(st.sampled_from(RELATIONS), max_size=4))]
    if draw(st.booleans()):
        relations.append(Relation.SPOUSE)
    return Household(
        members=tuple(draw(members(f"m{number}", relation)) for number, relation in enumerate(relations, start=1)),
        assets=draw(st.none() | st.lists(assets, max_size=3).map(tuple)),
        expenses=draw(st.none() | st.lists(expenses, max_size=3).map(tuple)),
        deductible_monthly_fen=draw(st.sampled_from([0, 0, 10_000, 50_000])),
        authorised_verification=draw(st.sampled_from([True, True, True, False, None])),
    )


HELD = ("tekun", "orphan", "unsupported_child", "dibao", "elderly_care_allowance", "work_injury_care")
parents = st.builds(ParentFact, st.sampled_from(ParentStatus), st.none() | st.integers(0, 12))
obligors = st.builds(
    Obligor,
    birth_date=st.none() | birth_dates,
    programme=st.sampled_from([None, "dibao", "tekun"]),
    annual_income_fen=st.none() | st.integers(0, 8_000_000),
    assets_comply=st.none() | st.booleans(),
)
emergencies = st.builds(Emergency, st.sampled_from(EmergencyKind), st.booleans(), st.none() | st.integers(0, 1_000_000))
claims = st.builds(MedicalClaim, st.integers(0, 20_000_000), st.integers(0, 9_000_000))


@st.composite
def contexts(draw: st.DrawFn, household: Household) -> Context:
    refs = st.sampled_from([member.ref for member in household.members])
    holdings = st.builds(Holding, refs, st.sampled_from(HELD), amounts)
    return Context(
        holds=draw(st.none() | st.lists(holdings, max_size=2).map(tuple)),
        parents=draw(st.none() | st.tuples(parents, parents)),
        obligors=draw(st.none() | st.lists(obligors, max_size=2).map(tuple)),
        emergency=draw(st.none() | emergencies),
        medical_claim=draw(st.none() | claims),
        hukou_local=draw(st.none() | st.booleans()),
        survival_confirmed_on=draw(st.none() | st.dates(date(2024, 1, 1), date(2025, 1, 1))),
        institutional_care=draw(st.none() | st.booleans()),
    )


@st.composite
def questions(
    draw: st.DrawFn, /, programmes: tuple[str, ...] | None = None, *, area_code: str | None = None
) -> AssessmentQuestion:
    """A question without a current entitlement, in the given area or in either."""
    household = draw(families())
    return AssessmentQuestion(
        business_date=draw(business_dates),
        area_code=area_code or draw(st.sampled_from(AREAS)),
        residence=draw(st.sampled_from(Residence)),
        household=household,
        programmes=programmes,
        context=draw(contexts(household)),
    )
