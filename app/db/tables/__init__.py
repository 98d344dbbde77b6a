"""All tables; importing this package fills the metadata."""

from app.db.tables import (
    accounts,
    audit,
    casework,
    discovery,
    identity,
    imports,
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
    "discovery",
    "identity",
    "imports",
    "jobs",
    "payments",
    "policy_runs",
    "population",
    "reference",
    "registry",
    "sharing",
]
