"""The column profiles that come with the system (app/data/profiles/*.yaml), read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from app.domain.imports.model import Kind
from app.domain.imports.profiles import Profile, ProfileFault, parse_profile
from app.domain.imports.registry import KINDS

FOLDER = Path(__file__).parent / "data" / "profiles"


def read_profiles(folder: Path, kinds: Mapping[str, Kind]) -> dict[str, Profile]:
    """Every profile of a folder by its code. Raises ``ProfileFault`` that names the file."""
    found: dict[str, Profile] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            profile = parse_profile(yaml.safe_load(path.read_text("utf-8")), kinds)
        except (ProfileFault, yaml.YAMLError) as error:
            raise ProfileFault(f"{path.name}: {error}") from error
        if profile.code != path.stem or profile.code in found:
            raise ProfileFault(f"{path.name}: the code has to be the file's name")
        found[profile.code] = profile
    return found


@cache
def profiles() -> Mapping[str, Profile]:
    """The profiles of this release; the kinds have to be registered before."""
    return read_profiles(FOLDER, KINDS)


def find_profile(code: str) -> Profile | None:
    return profiles().get(code)
