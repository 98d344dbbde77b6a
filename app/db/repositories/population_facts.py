"""The SQL that makes the facts of a population: one row per household and per member, from what the other tables know on a day.

A fact of the registry counts before one declared in an application; what is drawn comes from entitlements that haven't ended.
Step by step through temporary tables, so that the planner knows how much there is of each. Every statement is bound to what it
names among $1 district, $2 area, $3 day, $4 first of its month, $5 moment; the walls of the scope hold underneath.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from app.domain.eligibility.assets import FINANCIAL
from app.domain.eligibility.columns_setwise import HOLDINGS, INCOME_COLUMNS
from app.domain.eligibility.facts import Absence, AssetKind, DisabilityCategory, Employment, Relation, Residence, Study

PERSON_PROGRAMMES = ("dibao_single", "disability_living", "disability_care", "old_age")
_INCOMES = tuple(dict.fromkeys(INCOME_COLUMNS.values()))
_IN_AREA = "area_code >= $2 AND area_code < $2 || '~'"


def _listed(values: Iterable[str]) -> str:
    """Constants of this code base as a list of SQL literals."""
    return ", ".join(f"'{value}'" for value in values)


def _items(expression: str) -> str:
    """The items of a JSON array; none where something is unknown (JSON null) or stated otherwise."""
    return f"jsonb_array_elements(CASE jsonb_typeof({expression}) WHEN 'array' THEN {expression} ELSE '[]' END)"


def _code(kind: type[StrEnum], expression: str) -> str:
    """The code of a value, 0 for none."""
    return f"coalesce(array_position(ARRAY[{_listed(one.value for one in kind)}], ({expression})::text), 0)"


def _known(kind: str) -> str:
    """What the registry knows of a kind on the day, else what was declared."""
    return f"CASE WHEN k.facts ? '{kind}' THEN k.facts #>> '{{{kind},value}}' ELSE t.one ->> '{kind}' END"


def _income(column: str) -> str:
    kinds = _listed(kind.value for kind, name in INCOME_COLUMNS.items() if name == column)
    return f"coalesce(sum(fen) FILTER (WHERE kind IN ({kinds})), 0) AS {column}"


# Who lives where on the day.
_STAY = f"""
    INSERT INTO run_stay
    SELECT m.household_id, m.person_id, m.relation, h.area_code, h.residence, p.birth_date,
           CASE WHEN p.hukou_area_code IS NOT NULL THEN left(p.hukou_area_code, 6) = left(h.area_code, 6) END
    FROM household_member m
    JOIN (SELECT id, area_code, residence FROM household WHERE district = $1 AND {_IN_AREA}) AS h ON h.id = m.household_id
    JOIN person p ON p.district = m.district AND p.id = m.person_id
    WHERE m.district = $1 AND m.valid_from <= $3 AND (m.valid_until IS NULL OR m.valid_until > $3)
      AND (p.died_on IS NULL OR p.died_on > $3)
"""
# The latest facts put for a household, as long as they speak of the people who live there now; and what they say of each.
_DECLARED = f"""
    INSERT INTO run_declared
    SELECT latest.household_id, latest.facts
    FROM (
        SELECT DISTINCT ON (household_id) household_id, facts
        FROM application WHERE district = $1 AND household_id IN (SELECT household_id FROM run_stay) AND facts IS NOT NULL
        ORDER BY household_id, id DESC
    ) AS latest
    JOIN (SELECT household_id, array_agg(person_id ORDER BY person_id) AS people FROM run_stay GROUP BY household_id) AS living
         ON living.household_id = latest.household_id
    WHERE living.people = ARRAY(
        SELECT (one ->> 'ref')::uuid FROM {_items("latest.facts -> 'members'")} AS listed(one) ORDER BY 1
    )
"""
_STATED = f"""
    INSERT INTO run_stated
    SELECT d.household_id, (one ->> 'ref')::uuid, one
    FROM run_declared d, {_items("d.facts -> 'members'")} AS listed(one)
"""
# What the registry knows of a person on the day.
_KNOWN = """
    INSERT INTO run_known
    SELECT person_id, jsonb_object_agg(kind, value)
    FROM (
        SELECT DISTINCT ON (person_id, kind) person_id, kind, value
        FROM person_fact
        WHERE district = $1 AND person_id IN (SELECT person_id FROM run_stay) AND superseded_at IS NULL AND valid_from <= $3
        ORDER BY person_id, kind, valid_from DESC
    ) AS in_force
    GROUP BY person_id
"""
# Entitlements that haven't ended, with the amount of the month (of their first month, when that is still to come).
_RUNNING = f"""
    INSERT INTO run_running
    SELECT e.id, e.programme, e.household_id, e.person_id, array_position(ARRAY[{_listed(HOLDINGS)}], e.programme::text),
           coalesce(sum(a.amount_fen), 0)
    FROM entitlement e
    LEFT JOIN entitlement_amount a ON a.district = e.district AND a.entitlement_id = e.id AND a.superseded_at IS NULL
         AND a.from_month <= greatest($4, e.since_month)
         AND (a.until_month IS NULL OR a.until_month > greatest($4, e.since_month))
    WHERE e.district = $1 AND e.state <> 'ended' AND (e.until_month IS NULL OR e.until_month > $4)
    GROUP BY e.id, e.programme, e.household_id, e.person_id
"""
# What members hold apart from their household's own entitlements.
_HELD = f"""
    INSERT INTO run_held
    SELECT person_id, bit_or(1 << (code - 1)),
           {", ".join(f"max(fen) FILTER (WHERE own AND programme = '{code}')" for code in PERSON_PROGRAMMES)}
    FROM (
        SELECT r.person_id, r.programme, r.code, r.fen, true AS own FROM run_running r WHERE r.person_id IS NOT NULL
        UNION ALL
        SELECT s.person_id, r.programme, r.code, r.fen, false
        FROM entitlement_member em
        JOIN run_running r ON r.id = em.entitlement_id AND r.person_id IS NULL
        JOIN run_stay s ON s.person_id = em.person_id AND s.household_id <> r.household_id
        WHERE em.district = $1 AND (em.until_month IS NULL OR em.until_month > $4)
    ) AS drawn
    WHERE code IS NOT NULL
    GROUP BY person_id
"""

STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "run_stay",
        'household_id uuid, person_id uuid, relation text, area_code text COLLATE "C", residence text, born date, local bool',
        _STAY,
    ),
    ("run_declared", "household_id uuid, facts jsonb", _DECLARED),
    ("run_stated", "household_id uuid, person_id uuid, one jsonb", _STATED),
    ("run_known", "person_id uuid, facts jsonb", _KNOWN),
    ("run_running", "id uuid, programme text, household_id uuid, person_id uuid, code int, fen bigint", _RUNNING),
    ("run_held", f"person_id uuid, holds int, {', '.join(f'{code} bigint' for code in PERSON_PROGRAMMES)}", _HELD),
)
"""Temporary tables in order: name, columns, and the statement that fills it."""

HOUSEHOLD_FACTS = f"""
    INSERT INTO population_household (
        district, area_code, household_id, size, residence, deductible_fen, authorised, financial_fen, vehicles, homes,
        current_programme, current_fen, current_by_employment, refreshed_at
    )
    SELECT $1, s.area_code, s.household_id, s.size, {_code(Residence, "s.residence")},
           coalesce((d.facts ->> 'deductible_monthly_fen')::bigint, 0), (d.facts ->> 'authorised_verification')::boolean,
           owned.financial_fen, coalesce(owned.vehicles, 0), coalesce(owned.homes, 0), coalesce(c.code, 0), c.fen, false, $5
    FROM (
        SELECT area_code, household_id, residence, count(*) AS size FROM run_stay GROUP BY area_code, household_id, residence
    ) AS s
    LEFT JOIN run_declared d ON d.household_id = s.household_id
    LEFT JOIN (
        SELECT DISTINCT ON (household_id) household_id, code, fen
        FROM run_running WHERE person_id IS NULL AND code IS NOT NULL
        ORDER BY household_id, code
    ) AS c ON c.household_id = s.household_id
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(greatest(0, value - exempt)) FILTER (WHERE kind IN ({_listed(sorted(FINANCIAL))})), 0)
                   AS financial_fen,
               count(*) FILTER (WHERE kind = '{AssetKind.VEHICLE}' AND NOT (exempt > 0 AND exempt >= value)) AS vehicles,
               count(*) FILTER (WHERE kind = '{AssetKind.REAL_ESTATE}' AND NOT (exempt > 0 AND exempt >= value)) AS homes
        FROM (
            SELECT item ->> 'kind' AS kind, (item ->> 'value_fen')::bigint AS value,
                   coalesce((item ->> 'exempt_fen')::bigint, 0) AS exempt
            FROM {_items("d.facts -> 'assets'")} AS listed(item)
        ) AS asset
    ) AS owned ON jsonb_typeof(d.facts -> 'assets') = 'array'
    ORDER BY s.area_code, s.household_id
"""

MEMBER_FACTS = f"""
    INSERT INTO population_member (
        district, area_code, household_id, person_id, birth_date, relation, absence, study, employment, employable,
        job_offers_refused, disability_category, disability_grade, needs_care, serious_illness, authorised, hukou_local,
        survival_confirmed_on, holds, {", ".join(_INCOMES)}, {", ".join(f"drawn_{code}_fen" for code in PERSON_PROGRAMMES)}
    )
    SELECT $1, s.area_code, s.household_id, s.person_id, s.born, {_code(Relation, "s.relation")},
           {_code(Absence, "t.one ->> 'absence'")}, {_code(Study, _known("study"))}, {_code(Employment, _known("employment"))},
           coalesce((t.one ->> 'employable')::boolean, false), coalesce((t.one ->> 'job_offers_refused')::int, 0),
           {_code(DisabilityCategory, "certified.disability ->> 'category'")},
           coalesce((certified.disability ->> 'grade')::int, 0),
           coalesce((certified.disability ->> 'needs_care')::boolean, false),
           coalesce(({_known("serious_illness")})::boolean, false),
           (t.one ->> 'authorised_verification')::boolean, coalesce(s.local, (t.one ->> 'hukou_local')::boolean),
           ({_known("survival_confirmed_on")})::date, coalesce(h.holds, 0),
           {", ".join(f"coalesce(earned.{name}, 0)" for name in _INCOMES)}, {", ".join(f"h.{code}" for code in PERSON_PROGRAMMES)}
    FROM run_stay s
    LEFT JOIN run_stated t ON t.household_id = s.household_id AND t.person_id = s.person_id
    LEFT JOIN run_known k ON k.person_id = s.person_id
    LEFT JOIN run_held h ON h.person_id = s.person_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN k.facts ? 'disability' THEN nullif(k.facts -> 'disability', 'null')
                    ELSE nullif(t.one -> 'disability', 'null') END AS disability
    ) AS certified
    LEFT JOIN LATERAL (
        SELECT {", ".join(_income(name) for name in _INCOMES)}
        FROM (
            SELECT item ->> 'kind' AS kind, greatest(0, (item ->> 'monthly_fen')::bigint) AS fen
            FROM {_items("t.one -> 'incomes'")} AS listed(item)
        ) AS income
    ) AS earned ON jsonb_typeof(t.one -> 'incomes') = 'array'
    ORDER BY s.area_code, s.household_id, s.person_id
"""
