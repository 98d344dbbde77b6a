"""Leads (线索): what informants and communities notice, and what the station made of it."""

from app.domain.leads.model import Lead, LeadEntry, LeadKind, LeadOutcome, LeadState
from app.domain.leads.service import LeadDesk

__all__ = ["Lead", "LeadDesk", "LeadEntry", "LeadKind", "LeadOutcome", "LeadState"]
