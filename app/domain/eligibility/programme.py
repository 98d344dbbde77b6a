"""What a programme is to the engine, and the catalogue that holds them.

To add a programme: one file with a rule ``assess(case) -> rows``, one ``ProgrammeSpec``, and its relations in ``interplay``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.domain.eligibility.case import Case
from app.domain.eligibility.model import Authority, ProgrammeResult

Rule = Callable[[Case], Sequence[ProgrammeResult]]


@dataclass(frozen=True, slots=True)
class ProgrammeSpec:
    """A programme: its code, Chinese name, responsible bureau, whether it answers per member, and its rule."""

    code: str
    name: str
    assess: Rule
    per_person: bool = False
    authority: Authority = Authority.CIVIL_AFFAIRS


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The programmes an engine knows, in order of precedence."""

    specs: tuple[ProgrammeSpec, ...]
    codes: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", tuple(spec.code for spec in self.specs))

    def get(self, code: str) -> ProgrammeSpec:
        """The programme of a code.

        Raises:
            KeyError: no such programme.

        """
        for spec in self.specs:
            if spec.code == code:
                return spec
        raise KeyError(code)

    def with_programmes(self, specs: Iterable[ProgrammeSpec]) -> Catalogue:
        """A catalogue that knows further programmes, assessed after the present ones; one of a known code takes its place."""
        added = {spec.code: spec for spec in specs}
        kept = tuple(added.pop(spec.code, spec) for spec in self.specs)
        return Catalogue((*kept, *added.values()))
