"""The schemes of the year-end assessment that come with the application: YAML documents in ``app/data``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from app.domain.appraisals import Scheme, scheme_of

DATA = Path(__file__).parent / "data"
PATTERN = "appraisal-*.yaml"


@cache
def shipped_schemes() -> tuple[Scheme, ...]:
    """All versions of all of them; read once."""
    return load_schemes(DATA)


def load_schemes(folder: Path) -> tuple[Scheme, ...]:
    """Raises ``Malformed`` for a scheme that contradicts itself."""
    return tuple(
        scheme_of(document) for path in sorted(folder.glob(PATTERN)) for document in yaml.safe_load(path.read_text("utf-8"))
    )
