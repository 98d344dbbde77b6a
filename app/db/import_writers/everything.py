"""Importing this module registers every kind of import and its writer."""

from app.db.import_writers import bureau_notices, disability_certificates, entitlements, officials, payees, people, tables
from app.domain.imports import kinds

__all__ = ["bureau_notices", "disability_certificates", "entitlements", "kinds", "officials", "payees", "people", "tables"]
