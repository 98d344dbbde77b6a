"""From the rows of a file to the rows of a kind: where its columns stand, and which rows are data."""

from app.domain.imports.layout import HeaderFault, Layout, find_layout, fits, listed
from app.domain.imports.sifting import Claim, Sifter

__all__ = ["Claim", "HeaderFault", "Layout", "Sifter", "find_layout", "fits", "listed"]
