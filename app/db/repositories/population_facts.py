"""The SQL that makes the facts of a population: one row per household and per member, from what the other tables know on a day.

A fact of the registry counts before one declared in an application; what is drawn comes from entitlements that haven't ended.
Everything is bound, and read under the walls of the scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.domain.access import AreaScope
from app.domain.eligibility.assets import FINANCIAL
from app.domain.eligibility.columns_setwise import HOLDINGS, INCOME_COLUMNS
from app.domain.eligibility.facts import Absence, AssetKind, DisabilityCategory, Employment, Relation, Residence, Study

# Who lives where on the day, and the latest facts that anybody put for the household.
_STAYS = """
    stay AS (
        SELECT m.household_id, m.person_id, m.relation, h.area_code, h.residence, p.birth_date,
               CASE WHEN p.hukou_area_code IS NULL THEN NULL ELSE left(p.hukou_area_code, 6) = left(h.area_code, 6) END AS local
        FROM household_member m
        JOIN household h ON h.district = m.district AND h.id = m.household_id
        JOIN person p ON p.district = m.district AND p.id = m.person_id
        WHERE m.district = :district AND h.area_code >= :prefix AND h.area_code < :prefix || '~'
          AND m.valid_from <= :on AND (m.valid_until IS NULL OR m.valid_until > :on)
          AND (p.died_on IS NULL OR p.died_on > :on)
    ),
    declared AS (
        SELECT DISTINCT ON (household_id) household_id, facts
        FROM application
        WHERE district = :district AND area_code >= :prefix AND area_code < :prefix || '~' AND facts IS NOT NULL
        ORDER BY household_id, id DESC
    ),
    running AS (
        SELECT e.id, e.programme, e.household_id, e.person_id,
               array_position(CAST(:holdings AS text[]), e.programme::text) AS code, coalesce(sum(a.amount_fen), 0) AS fen
        FROM entitlement e
        CROSS JOIN LATERAL (SELECT greatest(CAST(:month AS date), e.since_month) AS month) AS due
        LEFT JOIN entitlement_amount a ON a.district = e.district AND a.entitlement_id = e.id AND a.superseded_at IS NULL
             AND a.from_month <= due.month AND (a.until_month IS NULL OR a.until_month > due.month)
        WHERE e.district = :district AND e.state <> 'ended' AND (e.until_month IS NULL OR e.until_month > :month)
        GROUP BY e.district, e.id, e.programme, e.household_id, e.person_id
    )
"""


def _code(values: str, expression: str) -> str:
    """The code of a value, 0 for none."""
    return f"coalesce(array_position(CAST(:{values} AS text[]), ({expression})::text), 0)"


HOUSEHOLD_FACTS = f"""
    WITH {_STAYS},
    current AS (
        SELECT DISTINCT ON (household_id) household_id, code, fen
        FROM running WHERE person_id IS NULL AND code IS NOT NULL
        ORDER BY household_id, code
    ),
    counted AS (SELECT area_code, household_id, residence, count(*) AS size FROM stay GROUP BY area_code, household_id, residence)
    INSERT INTO population_household (
        district, area_code, household_id, size, residence, deductible_fen, authorised, financial_fen, vehicles, homes,
        current_programme, current_fen, current_by_employment, refreshed_at
    )
    SELECT :district, s.area_code, s.household_id, s.size, {_code("residences", "s.residence")},
           coalesce((d.facts ->> 'deductible_monthly_fen')::bigint, 0), (d.facts ->> 'authorised_verification')::boolean,
           owned.financial_fen, coalesce(owned.vehicles, 0), coalesce(owned.homes, 0), coalesce(c.code, 0), c.fen, false, :now
    FROM counted s
    LEFT JOIN declared d ON d.household_id = s.household_id
    LEFT JOIN current c ON c.household_id = s.household_id
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(greatest(0, value - exempt)) FILTER (WHERE kind = ANY (CAST(:financial AS text[]))), 0)
                   AS financial_fen,
               count(*) FILTER (WHERE kind = :vehicle AND NOT (exempt > 0 AND exempt >= value)) AS vehicles,
               count(*) FILTER (WHERE kind = :home AND NOT (exempt > 0 AND exempt >= value)) AS homes
        FROM (
            SELECT one ->> 'kind' AS kind, (one ->> 'value_fen')::bigint AS value,
                   coalesce((one ->> 'exempt_fen')::bigint, 0) AS exempt
            FROM jsonb_array_elements(d.facts -> 'assets') AS one
        ) AS asset
    ) AS owned ON jsonb_typeof(d.facts -> 'assets') = 'array'
    ORDER BY s.area_code, s.household_id
"""


def _income(column: str) -> str:
    kinds = ", ".join(f"'{kind.value}'" for kind, name in INCOME_COLUMNS.items() if name == column)
    return f"coalesce(sum(fen) FILTER (WHERE kind IN ({kinds})), 0) AS {column}"


def _known(kind: str) -> str:
    """What the registry knows of a kind on the day, else what was declared."""
    return f"CASE WHEN k.facts ? '{kind}' THEN k.facts #>> '{{{kind},value}}' ELSE t.one ->> '{kind}' END"


_INCOMES = tuple(dict.fromkeys(INCOME_COLUMNS.values()))
PERSON_PROGRAMMES = ("dibao_single", "disability_living", "disability_care", "old_age")
_DRAWN = ", ".join(f"max(fen) FILTER (WHERE own AND programme = '{code}') AS drawn_{code}_fen" for code in PERSON_PROGRAMMES)

MEMBER_FACTS = f"""
    WITH {_STAYS},
    stated AS (
        SELECT d.household_id, (one ->> 'ref')::uuid AS person_id, one
        FROM declared d, jsonb_array_elements(d.facts -> 'members') AS one
    ),
    known AS (
        SELECT person_id,
               jsonb_object_agg(kind, value) AS facts
        FROM (
            SELECT DISTINCT ON (person_id, kind) person_id, kind, value
            FROM person_fact
            WHERE district = :district AND superseded_at IS NULL AND valid_from <= :on
            ORDER BY person_id, kind, valid_from DESC
        ) AS in_force
        GROUP BY person_id
    ),
    held AS (
        SELECT s.person_id, bit_or(1 << (r.code - 1)) AS holds, {_DRAWN}
        FROM stay s
        JOIN LATERAL (
            SELECT r.*, true AS own FROM running r WHERE r.person_id = s.person_id
            UNION ALL
            SELECT r.*, false FROM entitlement_member em JOIN running r ON r.id = em.entitlement_id
            WHERE em.district = :district AND em.person_id = s.person_id AND r.person_id IS NULL
              AND r.household_id <> s.household_id AND (em.until_month IS NULL OR em.until_month > :month)
        ) AS r ON r.code IS NOT NULL
        GROUP BY s.person_id
    )
    INSERT INTO population_member (
        district, area_code, household_id, person_id, birth_date, relation, absence, study, employment, employable,
        job_offers_refused, disability_category, disability_grade, needs_care, serious_illness, authorised, hukou_local,
        survival_confirmed_on, holds, elderly_care_fen, {", ".join(_INCOMES)},
        {", ".join(f"drawn_{code}_fen" for code in PERSON_PROGRAMMES)}
    )
    SELECT :district, s.area_code, s.household_id, s.person_id, s.birth_date, {_code("relations", "s.relation")},
           {_code("absences", "t.one ->> 'absence'")},
           {_code("studies", _known("study"))}, {_code("employments", _known("employment"))},
           coalesce((t.one ->> 'employable')::boolean, false), coalesce((t.one ->> 'job_offers_refused')::int, 0),
           {_code("categories", "ill.disability ->> 'category'")},
           coalesce((ill.disability ->> 'grade')::int, 0), coalesce((ill.disability ->> 'needs_care')::boolean, false),
           coalesce(({_known("serious_illness")})::boolean, false),
           (t.one ->> 'authorised_verification')::boolean, coalesce(s.local, (t.one ->> 'hukou_local')::boolean),
           (t.one ->> 'survival_confirmed_on')::date, coalesce(h.holds, 0), NULL,
           {", ".join(f"coalesce(earned.{name}, 0)" for name in _INCOMES)},
           {", ".join(f"h.drawn_{code}_fen" for code in PERSON_PROGRAMMES)}
    FROM stay s
    LEFT JOIN stated t ON t.household_id = s.household_id AND t.person_id = s.person_id
    LEFT JOIN known k ON k.person_id = s.person_id
    LEFT JOIN held h ON h.person_id = s.person_id
    LEFT JOIN LATERAL (
        SELECT CASE WHEN k.facts ? 'disability' THEN nullif(k.facts -> 'disability', 'null')
                    ELSE nullif(t.one -> 'disability', 'null') END AS disability
    ) AS ill ON true
    LEFT JOIN LATERAL (
        SELECT {", ".join(_income(name) for name in _INCOMES)}
        FROM (
            SELECT one ->> 'kind' AS kind, greatest(0, (one ->> 'monthly_fen')::bigint) AS fen
            FROM jsonb_array_elements(t.one -> 'incomes') AS one
        ) AS income
    ) AS earned ON jsonb_typeof(t.one -> 'incomes') = 'array'
    ORDER BY s.area_code, s.household_id, s.person_id
"""


def fact_values(scope: AreaScope, on: date, now: datetime) -> dict[str, Any]:
    """What both statements are bound to."""
    lists: dict[str, Iterable[StrEnum]] = {
        "residences": Residence,
        "relations": Relation,
        "absences": Absence,
        "studies": Study,
        "employments": Employment,
        "categories": DisabilityCategory,
        "financial": sorted(FINANCIAL),
    }
    return {
        "district": scope.district,
        "prefix": scope.prefix,
        "on": on,
        "month": on.replace(day=1),
        "now": now,
        "holdings": list(HOLDINGS),
        "vehicle": AssetKind.VEHICLE.value,
        "home": AssetKind.REAL_ESTATE.value,
        **{name: [one.value for one in kinds] for name, kinds in lists.items()},
    }
