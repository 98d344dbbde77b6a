"""Importing this module registers a reader for every kind."""

from app.db.export_readers import disability_certificates, entitlements, payees, people, register_reader
from app.db.export_readers.table import TableReader
from app.db.import_writers import bureau_notices, officials, tables
from app.domain.imports.kinds.officials import OFFICIALS

for _code, _target in (tables.TARGETS | bureau_notices.TARGETS | {OFFICIALS.code: officials.TARGET}).items():
    register_reader(_code, TableReader(_target))

__all__ = ["disability_certificates", "entitlements", "payees", "people"]
