"""Version 1 of the interface. A new version overrides shapes, not rules."""

from __future__ import annotations

from fastapi import APIRouter

from app.routers.v1 import areas, codes, eligibility, households, persons, status_queries

ROUTERS: tuple[APIRouter, ...] = (
    codes.router,
    areas.router,
    eligibility.router,
    persons.router,
    households.router,
    status_queries.router,
)
