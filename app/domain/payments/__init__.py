"""Payments: batches by month, claims that are paid once, a ledger that only grows, files for the bank.

Another area that ends or changes an entitlement needs nothing from here: a batch copies what is due when it is computed, and what
was paid stays on its claims.
"""

from __future__ import annotations

from app.domain.payments.model import PAYABLE_PROGRAMMES, Batch, BatchAct, BatchState

__all__ = ["PAYABLE_PROGRAMMES", "Batch", "BatchAct", "BatchState"]
