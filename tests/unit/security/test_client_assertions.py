"""`private_key_jwt` of a bureau (RFC 7523): what it signs itself, and what of it is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec

from app.domain.errors import Malformed, Unauthenticated
from app.security.keys import KeyRing
from app.security.tokens import (
    LEEWAY_SECONDS,
    Tokens,
    client_of_assertion,
    client_public_jwk,
    verify_client_assertion,
)
from tests.unit.security.test_access_tokens import MISSING, assemble, b64, es256, private_of

CLIENT = "bureau-housing"
ENDPOINT = "https://minzheng.example/api/v1/auth/token"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
NOW = 1_790_000_000
LONG = "as long as allowed"


def jwk_of(private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}


PUBLIC = jwk_of(PRIVATE)


def assertion(changes: dict[str, Any] | None = None, *, private: ec.EllipticCurvePrivateKey = PRIVATE, **header: Any) -> str:
    now = int(time.time())
    payload = {"iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "jti": "7c1e", "iat": now, "exp": now + 60} | (changes or {})
    payload = {name: value for name, value in payload.items() if value is not MISSING}
    head = {"alg": "ES256", "typ": "JWT"} | header
    head = {name: value for name, value in head.items() if value is not MISSING}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}"
    return f"{signed}.{b64(es256(private, signed.encode()))}"


def refuse(token: str, *, public_jwk: dict[str, str] = PUBLIC, client_id: str = CLIENT) -> None:
    with pytest.raises(Unauthenticated) as caught:
        verify_client_assertion(token, client_id=client_id, public_jwk=public_jwk, token_endpoint=ENDPOINT)
    assert caught.value.code == "invalid_client"


@pytest.mark.parametrize("changes", [{}, {"aud": [ENDPOINT]}, {"exp": LONG}, {"jti": "7" * 128}])
@pytest.mark.parametrize("header", [{}, {"typ": MISSING}, {"kid": "theirs"}, {"typ": "client-authentication+jwt"}])
def test_good_assertions(changes: dict[str, Any], header: dict[str, Any]) -> None:
    if changes.get("exp") is LONG:  # counted from now, not from when the tests were collected
        changes = {"exp": int(time.time()) + 290}
    token = assertion(changes, **header)
    assert client_of_assertion(token) == CLIENT
    found = verify_client_assertion(token, client_id=CLIENT, public_jwk=PUBLIC, token_endpoint=ENDPOINT)
    assert (found.client_id, found.jti) == (CLIENT, changes.get("jti", "7c1e"))
    assert found.expires_at > time.time() + LEEWAY_SECONDS


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "jti", "iat", "exp"])
@pytest.mark.parametrize("value", [MISSING, None, "", [], {}, True, 1.5, "bureau-education", 10**30])
def test_missing_and_misshapen_claims(name: str, value: Any) -> None:
    if (name, value) != ("jti", "bureau-education"):  # any short text is a good jti
        refuse(assertion({name: value}))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ENDPOINT, "https://other.example"]},
        {"aud": "https://minzheng.example"},
        {"aud": f"{ENDPOINT}/"},
        {"jti": "x" * 129},
        {"jti": "a\nb"},
        {"iss": "bureau-education"},
        {"sub": "bureau-education"},
        {"nbf": int(time.time()) + 3600},
    ],
)
def test_wrong_claims(changes: dict[str, Any]) -> None:
    refuse(assertion(changes))


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"exp": NOW + 300}, True),
        ({"exp": NOW + 301}, False),
        ({"iat": NOW - 100, "exp": NOW - LEEWAY_SECONDS + 1}, True),
        ({"iat": NOW - 100, "exp": NOW - LEEWAY_SECONDS}, False),
        ({"iat": NOW + LEEWAY_SECONDS, "exp": NOW + 60}, True),
        ({"iat": NOW + LEEWAY_SECONDS + 1, "exp": NOW + 60}, False),
    ],
)
def test_times(changes: dict[str, int], accepted: bool) -> None:
    with time_machine.travel(NOW, tick=False):
        token = assertion(changes)
        if accepted:
            verify_client_assertion(token, client_id=CLIENT, public_jwk=PUBLIC, token_endpoint=ENDPOINT)
        else:
            refuse(token)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"typ": "at+jwt"},
        {"typ": "attestation+jwt"},
        {"crit": ["exp"]},
        {"jwk": jwk_of(PRIVATE)},
        {"jku": "https://attacker.example"},
        {"x5u": "https://attacker.example"},
    ],
)
def test_wrong_headers(header: dict[str, Any]) -> None:
    refuse(assertion(**header))


def test_the_key_of_another_client() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    refuse(assertion(private=stranger))
    refuse(assertion(), public_jwk=jwk_of(stranger))
    refuse(assertion(), client_id="bureau-education")


def test_our_own_tokens_are_no_assertions(ring: KeyRing, tokens: Tokens) -> None:
    ours = {"iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "jti": "1", "iat": int(time.time()), "exp": int(time.time()) + 60}
    public = jwk_of(private_of(ring.active_signing_key))
    refuse(assemble(ring, ours), public_jwk=public)
    refuse(tokens.sign_attestation(ours), public_jwk=public)


@pytest.mark.parametrize("text", ["", "a.b.c", "\ud800", "x" * 10_000, "令牌"])
def test_texts_that_are_no_assertions(text: str) -> None:
    refuse(text)
    with pytest.raises(Unauthenticated):
        client_of_assertion(text)


@pytest.mark.parametrize("subject", [MISSING, None, 1, ["x"], {}])
def test_an_assertion_names_its_client(subject: Any) -> None:
    with pytest.raises(Unauthenticated):
        client_of_assertion(assertion({"sub": subject}))


def test_only_the_public_point_of_a_key_is_kept() -> None:
    given = PUBLIC | {"kid": "k", "use": "sig", "alg": "ES256", "x5c": "…"}
    assert client_public_jwk(given) == PUBLIC


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AAAA"},
        {"kty": "RSA"},
        {"kty": "oct", "k": "AAAA"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"x": None},
        {"x": ""},
        {"x": "A" * 44},
        {"x": PUBLIC["x"] + "="},  # one key has one spelling
        {"x": "*" * 43},
        {"y": "A" * 43},  # not on the curve
        {"x": "A" * 43, "y": "A" * 43},  # the point (0, 0)
        {"y": 1},
        {"y": ["A" * 43]},
    ],
)
def test_keys_that_are_refused_at_registration(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        client_public_jwk(PUBLIC | change)
    assert caught.value.errors[0].code == "public_jwk_invalid"
    with pytest.raises(Malformed):
        client_public_jwk({})
