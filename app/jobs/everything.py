"""Every kind of job: its handler is registered by being imported."""

from __future__ import annotations

from app.jobs import exports, imports, payment_compute, policy_discovery, policy_simulation

__all__ = ["exports", "imports", "payment_compute", "policy_discovery", "policy_simulation"]
