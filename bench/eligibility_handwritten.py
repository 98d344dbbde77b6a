"""The dibao formula of one district on one day, written by hand: straight numpy, and one SQL statement.

What somebody would write who needs just this: the parameters of the demo district stand in the text. Both give outcome and
amount; neither gives components, reasons or another district's rules.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.eligibility.columns_setwise import Population

Column = NDArray[Any]
ELIGIBLE, INELIGIBLE, NEEDS_EVIDENCE, GRADUAL_EXIT, SUSPENDED = 0, 1, 2, 3, 6
TEKUN, DIBAO = 1 << 2, 1 << 3
BORN_ADULT = date(2008, 11, 20).toordinal()  # 18 on the day
BORN_ELDERLY = date(1956, 11, 20).toordinal()  # 70 on the day


def with_numpy(p: Population, urban: int, rural: int) -> tuple[Column, Column]:
    """Outcome and monthly amount of each household."""
    size = p.size.astype(np.int64)
    starts = np.cumsum(size) - size
    adult, elderly = p.birth <= BORN_ADULT, p.birth <= BORN_ELDERLY
    counted = (p.absence == 0) & ~((p.study == 7) & adult & (p.relation > 2))
    earned = (p.wage_fen + p.business_fen + p.basic_pension_fen + p.other_income_fen) * counted
    heads = np.add.reduceat(counted, starts, dtype=np.int64)
    income = np.maximum(np.add.reduceat(earned, starts) - p.deductible_fen, 0)
    standard = np.where(p.residence == 1, urban, rural)

    refused = (p.authorised == 0) | (np.add.reduceat(counted & adult & (p.member_authorised == 0), starts, dtype=np.int64) > 0)
    silent = np.add.reduceat(counted & adult & (p.member_authorised == -1), starts, dtype=np.int64)
    adults = np.add.reduceat(counted & adult, starts, dtype=np.int64)
    agreed = (p.authorised == 1) | ((p.authorised == -1) & (adults > 0) & (silent == 0))
    own = p.current_programme == 4
    in_tekun = (p.current_programme == 3) | (np.add.reduceat(counted & (p.holds & TEKUN != 0), starts, dtype=np.int64) > 0)
    elsewhere = ~own & (np.add.reduceat(counted & (p.holds & DIBAO != 0), starts, dtype=np.int64) > 0)
    over = (p.financial_fen > 24 * standard * np.maximum(heads, 1)) | (p.vehicles > 0) | (p.homes > 1)
    unknown = ~agreed | (p.financial_fen < 0)
    failed = refused | in_tekun | elsewhere | (heads == 0) | (over & (p.financial_fen >= 0))
    below = income < standard * np.maximum(heads, 1)
    leaving = ~failed & ~below & own & p.current_by_employment
    outcome = np.select(
        [leaving & (unknown | (p.current_fen < 0)), leaving, failed | ~below, unknown],
        [NEEDS_EVIDENCE, GRADUAL_EXIT, INELIGIBLE, NEEDS_EVIDENCE],
        ELIGIBLE,
    )

    base = np.maximum(standard * heads - income, 0)
    refusing = np.add.reduceat(counted & p.employable & (p.job_offers_refused >= 3), starts, dtype=np.int64)
    cut = (2 * base * refusing + np.maximum(heads, 1)) // (2 * np.maximum(heads, 1))
    hardship = ((p.disability_grade > 0) & (p.disability_grade <= 2)) | p.serious_illness
    rate = np.where(hardship, 20, np.where(elderly | ~adult, 10, 0)) * counted
    uplift = np.add.reduceat((np.repeat(standard, size) * rate + 50) // 100, starts)
    total = base - cut + uplift
    outcome = np.where((outcome == ELIGIBLE) & (cut > 0) & (total == 0), SUSPENDED, outcome)
    amount = np.where(outcome == ELIGIBLE, total, np.where(outcome == GRADUAL_EXIT, p.current_fen, 0))
    return outcome, amount


# $1 district, $2 run, $3 urban, $4 rural standard. Gradual exit keeps the current amount.
WITH_SQL = """
    INSERT INTO population_difference
        (district, run_id, number, area_code, programme, household_id, person_id, old_outcome, new_outcome, old_fen, new_fen)
    SELECT $1, $2, row_number() OVER (), area_code, 'dibao', household_id, NULL,
           CASE WHEN current_programme = 4 THEN 'eligible' END, outcome, old_fen, new_fen
    FROM (
        SELECT area_code, household_id, current_programme, outcome,
               CASE WHEN current_programme = 4 THEN current_fen END AS old_fen,
               CASE outcome WHEN 'eligible' THEN base - cut + uplift WHEN 'suspended' THEN 0
                            WHEN 'gradual_exit' THEN current_fen END AS new_fen
        FROM (
            SELECT *,
                CASE WHEN NOT failed AND NOT below AND current_programme = 4 AND current_by_employment
                          THEN CASE WHEN unknown OR current_fen IS NULL THEN 'needs_evidence' ELSE 'gradual_exit' END
                     WHEN failed OR NOT below THEN 'ineligible'
                     WHEN unknown THEN 'needs_evidence'
                     WHEN cut > 0 AND base - cut + uplift = 0 THEN 'suspended'
                     ELSE 'eligible' END AS outcome
            FROM (
                SELECT *, (2 * base * refusing + greatest(heads, 1)) / (2 * greatest(heads, 1)) AS cut
                FROM (
                    SELECT area_code, household_id, current_programme, current_fen, current_by_employment, heads, refusing,
                        greatest(standard * heads - income, 0) AS base,
                        hardship * ((standard * 20 + 50) / 100) + by_age * ((standard * 10 + 50) / 100) AS uplift,
                        income < standard * greatest(heads, 1) AS below,
                        financial_fen IS NULL
                            OR NOT (coalesce(authorised, false) OR (authorised IS NULL AND adults > 0 AND silent = 0)) AS unknown,
                        NOT coalesce(authorised, true) OR refused > 0 OR current_programme = 3 OR tekun > 0
                            OR (current_programme <> 4 AND dibao > 0) OR heads = 0
                            OR (financial_fen IS NOT NULL
                                AND (financial_fen > 24 * standard * greatest(heads, 1) OR vehicles > 0 OR homes > 1)) AS failed
                    FROM (
                        SELECT h.*, m.heads, m.adults, m.silent, m.refused, m.tekun, m.dibao, m.hardship, m.by_age, m.refusing,
                            greatest(m.earned - h.deductible_fen, 0) AS income,
                            CASE h.residence WHEN 1 THEN $3::bigint ELSE $4::bigint END AS standard
                        FROM population_household h
                        JOIN (
                            SELECT district, area_code, household_id,
                                count(*) FILTER (WHERE counted) AS heads,
                                count(*) FILTER (WHERE counted AND adult) AS adults,
                                count(*) FILTER (WHERE counted AND adult AND authorised IS NULL) AS silent,
                                count(*) FILTER (WHERE counted AND adult AND NOT authorised) AS refused,
                                count(*) FILTER (WHERE counted AND holds & 4 <> 0) AS tekun,
                                count(*) FILTER (WHERE counted AND holds & 8 <> 0) AS dibao,
                                count(*) FILTER (WHERE counted AND hardship) AS hardship,
                                count(*) FILTER (WHERE counted AND NOT hardship AND (NOT adult OR birth_date <= '1956-11-20'))
                                    AS by_age,
                                count(*) FILTER (WHERE counted AND employable AND job_offers_refused >= 3) AS refusing,
                                coalesce(sum(wage_fen + business_fen + basic_pension_fen + other_income_fen)
                                         FILTER (WHERE counted), 0)::bigint AS earned
                            FROM (
                                SELECT *, birth_date <= '2008-11-20' AS adult,
                                    (disability_grade BETWEEN 1 AND 2) OR serious_illness AS hardship,
                                    absence = 0 AND NOT (study = 7 AND birth_date <= '2008-11-20' AND relation > 2) AS counted
                                FROM population_member WHERE district = $1
                            ) AS one
                            GROUP BY district, area_code, household_id
                        ) AS m USING (district, area_code, household_id)
                        WHERE h.district = $1
                    ) AS facts
                ) AS judged
            ) AS cuts
        ) AS decided
    ) AS amounts
    WHERE old_fen IS DISTINCT FROM new_fen
"""
