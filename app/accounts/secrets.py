"""Secrets that we make and show once."""

from __future__ import annotations

import secrets

# No letters or digits that look alike on paper: an administrator reads a one-time password out or writes it down.
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
SMALL = "abcdefghijkmnpqrstuvwxyz"
DIGITS = "23456789"
GROUP_CHARACTERS = 5
CLIENT_SECRET_BYTES = 32


def one_time_password() -> str:
    """Such as ``KMWPA-hxrqe-49273``: about 60 bits, three kinds of characters, good until its owner has set his own."""
    groups = ("".join(secrets.choice(kind) for _ in range(GROUP_CHARACTERS)) for kind in (CAPITALS, SMALL, DIGITS))
    return "-".join(groups)


def client_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(CLIENT_SECRET_BYTES)
