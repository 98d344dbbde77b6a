"""The standards that come with the application: one YAML document each in ``app/data``, checked when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from app.domain.errors import FieldError
from app.domain.stations.model import Standard, Standards
from app.domain.stations.standard_document import malformed, standard_of, standards_of

DATA = Path(__file__).parent / "data"
PATTERN = "station-standard-*.yaml"


@cache
def standards() -> Standards:
    """All of them, in the order of their names; read once."""
    return load_standards(DATA)


def load_standards(folder: Path) -> Standards:
    """The standards of a folder. Raises ``Malformed`` (``malformed_standard``) with what is wrong in which file."""
    return standards_of(_documents(folder))


def read_standard(path: Path) -> Standard:
    """One document. Raises ``Malformed`` (``malformed_standard``)."""
    return standard_of(_document(path))


def _documents(folder: Path) -> Iterator[object]:
    for path in sorted(folder.glob(PATTERN)):
        yield _document(path)


def _document(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        text = (str(error).splitlines() or [""])[0]
        raise malformed([FieldError("", "not_yaml", f"{path.name} 不是合法的 YAML：{text}")]) from error
