"""Version 1 of the interface. A new version overrides shapes, not rules."""

from __future__ import annotations

from fastapi import APIRouter

from app.routers.v1 import (
    accounts,
    adjustment_batches,
    application_acts,
    applications,
    areas,
    auth,
    clients,
    codes,
    discovery,
    eligibility,
    entitlements,
    households,
    me,
    payments,
    persons,
    policies,
    public_notices,
    simulations,
    status_queries,
    tasks,
)

ROUTERS: tuple[APIRouter, ...] = (
    status_queries.router,  # looked at first: by far the most frequent question
    codes.router,
    auth.router,
    me.router,
    accounts.router,
    clients.router,
    areas.router,
    eligibility.router,
    persons.router,
    households.router,
    applications.router,
    application_acts.router,
    public_notices.router,
    entitlements.router,
    tasks.router,
    payments.router,
    policies.router,
    simulations.router,
    adjustment_batches.router,
    discovery.router,
)
