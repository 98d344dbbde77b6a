"""Policy: parameter sets as drafts, what they would do, the gate before they become law here, and the 提标 that follows.

The parameters themselves and the rules that read them stand in ``app.domain.eligibility``; the steps that lead from a draft to an
active set, and from there to new amounts, are told in ``service.py`` and ``adjusting.py``.
"""

from __future__ import annotations
