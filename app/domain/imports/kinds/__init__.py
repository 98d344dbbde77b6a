"""The kinds of import, one file each. Importing this package registers all of them."""

from app.domain.imports.kinds import (
    bureau_notices,
    disability_certificates,
    entitlements,
    officials,
    payees,
    people,
    resident_counts,
    stations,
)

__all__ = [
    "bureau_notices",
    "disability_certificates",
    "entitlements",
    "officials",
    "payees",
    "people",
    "resident_counts",
    "stations",
]
