"""minzheng: the backend of a district's grassroots civil affairs (基层民政)."""

__version__ = "0.1.0"
