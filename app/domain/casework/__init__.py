"""Casework: from an application to an entitlement. An application moves only by named acts (民发〔2021〕57号, contract §5).

What other areas take from here:

* Payments read what is due in a benefit month, set-wise, from ``app.db.repositories.entitlements``::

      due = due_components(scope, month, programmes)      # a Select: use it in INSERT … SELECT, or as a subquery
      rows = await list_due_components(scope, session, month, programmes)     # the same as ``DueComponent`` values

  One row per component of each entitlement that is active in that month, with the amounts known now (corrections supersede):
  ``entitlement_id, number, programme, category, area_code, household_id, person_id, component, component_person_id, amount_fen``.
  ``person_id`` is set for per-person programmes only; ``component_person_id`` names the member an uplift is for. The components
  of one entitlement sum to its monthly amount; none is negative; zero ones are left out.

* Adjustments write components as a confirmation does: ``payable(result.components)`` gives them as ``GrantedComponent``.

* The load of a calendar year is followed by ``app.db.calendar_change.recompute_provisional_everywhere(session, calendar, now)``.
"""

from __future__ import annotations

from app.domain.casework.assessing import payable
from app.domain.casework.model import DueComponent, GrantedComponent

__all__ = ["DueComponent", "GrantedComponent", "payable"]
