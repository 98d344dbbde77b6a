"""All tables; importing this package fills the metadata."""

from app.db.tables import (
    accounts,
    audit,
    casework,
    identity,
    jobs,
    payments,
    policy_runs,
    population,
    reference,
    registry,
    sharing,
)

__all__ = [
    "accounts",
    "audit",
    "casework",
    "identity",
    "jobs",
    "payments",
    "policy_runs",
    "population",
    "reference",
    "registry",
    "sharing",
]
