"""The same dibao formula as an OpenFisca rule set; runs in .venv-bench, apart from the application's own packages.

``python bench/openfisca_rules.py serve PORT`` answers its web API's /calculate; ``… compute FOLDER`` reads a population as .npy
columns and, for each line on its standard input, builds a simulation, calculates, and prints the seconds it took.
"""

# ruff: noqa: N801, N805  (OpenFisca names variables by their class, and its formulas have no self)

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.model_api import ETERNITY, MONTH, Variable, max_, select, where
from openfisca_core.parameters import ParameterNode
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem

PERIOD = "2026-11"
TODAY = np.datetime64("2026-11-20")
STANDARDS = {"urban": {"values": {"2016-01-01": 55_200}}, "rural": {"values": {"2016-01-01": 44_200}}}
POSTGRADUATE, HEAD, SPOUSE, TEKUN, DIBAO, UNKNOWN = 7, 1, 2, 3, 4, -1

Person = build_entity(key="person", plural="persons", label="person", is_person=True)
Household = build_entity(
    key="household",
    plural="households",
    label="household",
    roles=[
        {"key": "head", "plural": "heads", "max": 1, "label": "head"},
        {"key": "member", "plural": "members", "label": "member"},
    ],
)


def fact(name: str, entity: Any, kind: type, period: Any = MONTH) -> type[Variable]:
    """An input without a formula."""
    members = {"value_type": kind, "entity": entity, "definition_period": period, "label": name}
    return type(name, (Variable,), members | ({"default_value": UNKNOWN} if name.endswith("authorised") else {}))


def age_reached(person: Any, period: Any, years: int) -> Any:
    born = person("birth", period)
    return born.astype("datetime64[D]") <= TODAY - np.timedelta64(int(years * 365.25), "D")


class counted(Variable):
    value_type = bool
    entity = Person
    definition_period = MONTH
    label = "counted as a member"

    def formula(person: Any, period: Any) -> Any:
        student = (person("study", period) == POSTGRADUATE) * age_reached(person, period, 18)
        return (person("absence", period) == 0) * ~(student * (person("relation", period) > SPOUSE))


class own_income(Variable):
    value_type = float
    entity = Person
    definition_period = MONTH
    label = "counted income"

    def formula(person: Any, period: Any) -> Any:
        names = ("wage_fen", "business_fen", "basic_pension_fen", "other_income_fen")
        return sum(max_(0, person(name, period)) for name in names) * person("counted", period)


class counted_members(Variable):
    value_type = int
    entity = Household
    definition_period = MONTH
    label = "members that count"

    def formula(household: Any, period: Any) -> Any:
        return household.sum(household.members("counted", period))


class income(Variable):
    value_type = float
    entity = Household
    definition_period = MONTH
    label = "household income"

    def formula(household: Any, period: Any) -> Any:
        total = household.sum(household.members("own_income", period))
        return max_(0, total - household("deductible_fen", period))


class standard(Variable):
    value_type = float
    entity = Household
    definition_period = MONTH
    label = "standard"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        standards = parameters(period).standard
        return where(household("residence", period) == 1, standards.urban, standards.rural)


class counted_adult(Variable):
    value_type = bool
    entity = Person
    definition_period = MONTH
    label = "counted and of age"

    def formula(person: Any, period: Any) -> Any:
        return person("counted", period) * age_reached(person, period, 18)


class refused(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "somebody refused the verification"

    def formula(household: Any, period: Any) -> Any:
        adults, agrees = household.members("counted_adult", period), household.members("member_authorised", period)
        return (household("authorised", period) == 0) + household.any(adults * (agrees == 0))


class agreed(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "everybody agreed to the verification"

    def formula(household: Any, period: Any) -> Any:
        adults, agrees = household.members("counted_adult", period), household.members("member_authorised", period)
        each = household.any(adults) * ~household.any(adults * (agrees == UNKNOWN))
        stated = household("authorised", period)
        return (stated == 1) + (stated == UNKNOWN) * each


class not_in_tekun(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "nobody in tekun"

    def formula(household: Any, period: Any) -> Any:
        held = household.members("counted", period) * household.members("in_tekun", period)
        return ~((household("current_programme", period) == TEKUN) + household.any(held))


class not_in_other_dibao(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "nobody in another dibao"

    def formula(household: Any, period: Any) -> Any:
        held = household.members("counted", period) * household.members("in_dibao", period)
        return (household("current_programme", period) == DIBAO) + ~household.any(held)


class assets_within_limit(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "financial assets within the limit"

    def formula(household: Any, period: Any) -> Any:
        limit = 24 * household("standard", period) * max_(1, household("counted_members", period))
        return household("financial_fen", period) <= limit


class things_within_limit(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "vehicles and homes within the limit"

    def formula(household: Any, period: Any) -> Any:
        return (household("vehicles", period) == 0) * (household("homes", period) <= 1)


class income_below(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "income per head below the standard"

    def formula(household: Any, period: Any) -> Any:
        return household("income", period) < household("standard", period) * max_(1, household("counted_members", period))


class failed(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "a condition besides income failed"

    def formula(household: Any, period: Any) -> Any:
        known = household("financial_fen", period) >= 0
        assets = household("assets_within_limit", period) * household("things_within_limit", period)
        double = ~household("not_in_tekun", period) + ~household("not_in_other_dibao", period)
        return household("refused", period) + double + (household("counted_members", period) == 0) + known * ~assets


class unknown(Variable):
    value_type = bool
    entity = Household
    definition_period = MONTH
    label = "a condition can't be told"

    def formula(household: Any, period: Any) -> Any:
        return ~household("agreed", period) + (household("financial_fen", period) < 0)


class outcome(Variable):
    value_type = int
    entity = Household
    definition_period = MONTH
    label = "0 eligible, 1 ineligible, 2 needs evidence, 3 gradual exit"

    def formula(household: Any, period: Any) -> Any:
        failed, unknown, below = (household(name, period) for name in ("failed", "unknown", "income_below"))
        on_dibao = (household("current_programme", period) == DIBAO) * household("current_by_employment", period)
        leaving = ~failed * ~below * on_dibao
        return select([leaving * unknown, leaving, failed + ~below, unknown], [2, 3, 1, 2], 0)


class uplift(Variable):
    value_type = float
    entity = Person
    definition_period = MONTH
    label = "uplift"

    def formula(person: Any, period: Any) -> Any:
        grade = person("disability_grade", period)
        hardship = ((grade > 0) * (grade <= 2)) + person("serious_illness", period)
        age = age_reached(person, period, 70) + ~age_reached(person, period, 18)
        rate = where(hardship, 0.20, where(age, 0.10, 0.0))
        return np.floor(person.household("standard", period) * rate + 0.5) * person("counted", period)


class refusing(Variable):
    value_type = bool
    entity = Person
    definition_period = MONTH
    label = "refused work three times"

    def formula(person: Any, period: Any) -> Any:
        able = person("employable", period) * person("counted", period)
        return able * (person("job_offers_refused", period) >= 3)


class base(Variable):
    value_type = float
    entity = Household
    definition_period = MONTH
    label = "gap to the standard"

    def formula(household: Any, period: Any) -> Any:
        needed = household("standard", period) * household("counted_members", period)
        return max_(0, needed - household("income", period))


class cut(Variable):
    value_type = float
    entity = Household
    definition_period = MONTH
    label = "shares of those who refused work"

    def formula(household: Any, period: Any) -> Any:
        size = max_(1, household("counted_members", period))
        return np.floor(household("base", period) * household.sum(household.members("refusing", period)) / size + 0.5)


class dibao(Variable):
    value_type = float
    entity = Household
    definition_period = MONTH
    label = "monthly amount"

    def formula(household: Any, period: Any) -> Any:
        granted = household("base", period) - household("cut", period) + household.sum(household.members("uplift", period))
        outcome = household("outcome", period)
        return where(outcome == 0, granted, where(outcome == 3, household("current_fen", period), 0))


PERSON_FACTS = {
    "absence": int,
    "study": int,
    "relation": int,
    "wage_fen": float,
    "business_fen": float,
    "basic_pension_fen": float,
    "other_income_fen": float,
    "disability_grade": int,
    "serious_illness": bool,
    "employable": bool,
    "job_offers_refused": int,
    "member_authorised": int,
    "in_tekun": bool,
    "in_dibao": bool,
}
HOUSEHOLD_FACTS = {
    "residence": int,
    "deductible_fen": float,
    "authorised": int,
    "financial_fen": float,
    "vehicles": int,
    "homes": int,
    "current_programme": int,
    "current_fen": float,
    "current_by_employment": bool,
}
FORMULAS = [
    *(counted, counted_adult, own_income, uplift, refusing),
    *(
        counted_members,
        income,
        standard,
        refused,
        agreed,
        not_in_tekun,
        not_in_other_dibao,
        assets_within_limit,
        things_within_limit,
    ),
    *(income_below, failed, unknown, outcome, base, cut, dibao),
]


def rule_set() -> TaxBenefitSystem:
    from datetime import date  # noqa: PLC0415

    system = TaxBenefitSystem([Person, Household])
    system.parameters = ParameterNode("", data={"standard": STANDARDS})
    system.add_variable(fact("birth", Person, date, ETERNITY))
    for entity, facts in ((Person, PERSON_FACTS), (Household, HOUSEHOLD_FACTS)):
        for name, kind in facts.items():
            system.add_variable(fact(name, entity, kind))
    for formula in FORMULAS:
        system.add_variable(formula)
    return system


def calculate(system: TaxBenefitSystem, columns: dict[str, Any], owners: Any, roles: Any) -> Any:
    """Build and calculate, from arrays: OpenFisca's fastest way in."""
    builder = SimulationBuilder()
    builder.create_entities(system)
    builder.declare_person_entity("person", np.arange(len(owners)))
    household = builder.declare_entity("household", np.arange(len(columns["residence"])))
    builder.join_with_persons(household, owners, roles)
    simulation = builder.build(system)
    for name, values in columns.items():
        simulation.set_input(name, PERIOD, values)
    return simulation.calculate("dibao", PERIOD)


def compute(folder: Path) -> None:
    system = rule_set()
    columns = {file.stem: np.load(file) for file in folder.glob("*.npy")}
    owners = columns.pop("owners")
    roles = np.where(columns["relation"] == HEAD, "head", "member")
    for _ in sys.stdin:
        started = time.perf_counter()
        amounts = calculate(system, columns, owners, roles)
        print(time.perf_counter() - started, int(np.count_nonzero(amounts)), flush=True)


def serve(port: str) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415
    from openfisca_web_api.app import create_app  # noqa: PLC0415

    class Server(BaseApplication):
        def load_config(self) -> None:
            options = {"bind": f"127.0.0.1:{port}", "workers": 1, "worker_class": "gthread", "threads": 4, "keepalive": 60}
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return create_app(rule_set())

    sys.argv[1:] = []
    Server().run()


if __name__ == "__main__":
    {"serve": serve, "compute": lambda folder: compute(Path(folder))}[sys.argv[1]](sys.argv[2])
