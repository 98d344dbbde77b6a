"""All tables; importing this package fills the metadata."""

from app.db.tables import accounts, audit, identity, jobs, reference, registry

__all__ = ["accounts", "audit", "identity", "jobs", "reference", "registry"]
