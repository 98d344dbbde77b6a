"""Every way a token can be wrong is refused: tokens here are put together by hand, without the library under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

import pytest
import time_machine
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jose import jwt

from app.domain.access import Duty, Level
from app.domain.errors import Malformed, Unauthenticated
from app.ids import new_id
from app.security.keys import KeyRing, SigningKey
from app.security.tokens import LEEWAY_SECONDS, MAX_TOKEN_CHARACTERS, Tokens, _verifying_key
from tests.unit.security.conftest import AUDIENCE, ISSUER

SUBJECT = UUID("01900000-0000-7000-8000-000000000001")
MISSING: Any = object()


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def es256(private: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def private_of(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    assert key.private is not None
    return key.private


def payload_of(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    payload: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(SUBJECT),
        "jti": str(new_id()),
        "iat": now,
        "exp": now + 600,
        "level": "district",
        "area": "350702",
        "duties": ["reviewer"],
    } | changes
    return {name: value for name, value in payload.items() if value is not MISSING}


def assemble(
    ring: KeyRing,
    payload: dict[str, Any] | bytes | None = None,
    *,
    private: ec.EllipticCurvePrivateKey | None = None,
    **header: Any,
) -> str:
    """A correctly signed token, with whatever header and payload the attack needs."""
    key = ring.active_signing_key
    full = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid} | header
    full = {name: value for name, value in full.items() if value is not MISSING}
    body = payload if isinstance(payload, bytes) else json.dumps(payload or payload_of()).encode()
    signed = f"{b64(json.dumps(full).encode())}.{b64(body)}"
    return f"{signed}.{b64(es256(private or private_of(key), signed.encode()))}"


def refuse(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify_access_token(token)
    assert caught.value.code == "invalid_token"
    assert caught.value.detail.endswith("。")
    assert caught.value.__cause__ is None
    assert not token or token not in str(caught.value)


# what is accepted


def test_an_issued_token_says_who_where_and_what(tokens: Tokens) -> None:
    session = new_id()
    before = int(time.time())
    token = tokens.issue_access_token(
        subject=SUBJECT,
        level=Level.SUBDISTRICT,
        area="350702001",
        duties=[Duty.STATION_HEAD, Duty.STATION_CLERK],
        session=session,
    )
    claims = tokens.verify_access_token(token)
    assert (claims.subject, claims.level, claims.area) == (SUBJECT, Level.SUBDISTRICT, "350702001")
    assert claims.duties == {Duty.STATION_HEAD, Duty.STATION_CLERK}
    assert claims.session == session
    assert claims.expires_at - claims.issued_at == 900
    assert before <= claims.issued_at <= time.time()
    payload = jwt.get_unverified_claims(token)
    assert payload.keys() == {"iss", "aud", "sub", "jti", "iat", "exp", "level", "area", "duties", "sid"}
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


def test_the_hand_made_token_is_otherwise_good(ring: KeyRing, tokens: Tokens) -> None:
    """The base of every attack below: without it they could pass for another reason."""
    claims = tokens.verify_access_token(assemble(ring))
    assert claims.subject == SUBJECT
    assert claims.session is None


def test_every_token_has_its_own_jti(tokens: Tokens) -> None:
    made = [
        tokens.issue_access_token(subject=SUBJECT, level=Level.DISTRICT, area="350702", duties=[Duty.ADMIN]) for _ in range(5)
    ]
    assert len({tokens.verify_access_token(token).jti for token in made}) == 5


@pytest.mark.parametrize(
    ("level", "area", "duties"),
    [
        (Level.DISTRICT, "350702001", [Duty.REVIEWER]),
        (Level.COMMUNITY, "350702", [Duty.COMMUNITY_WORKER]),
        (Level.DISTRICT, "350702", [Duty.COMMUNITY_WORKER]),
        (Level.DISTRICT, "350702", []),
        (Level.DISTRICT, "35070\u0662", [Duty.REVIEWER]),
    ],
)
def test_a_contradictory_token_is_not_issued(tokens: Tokens, level: Level, area: str, duties: list[Duty]) -> None:
    with pytest.raises(ValueError, match="shape"):
        tokens.issue_access_token(subject=SUBJECT, level=level, area=area, duties=duties)


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_no_lifetime_over_fifteen_minutes_can_be_configured(ring: KeyRing, seconds: int) -> None:
    with pytest.raises(ValueError, match="900"):
        Tokens(ring, issuer=ISSUER, audience=AUDIENCE, lifetime_seconds=seconds)


# algorithms and keys


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, "HS256", "RS256", "ES384", "ES512", "PS256", "EdDSA", ["ES256"], MISSING]
)
def test_other_algorithms(ring: KeyRing, tokens: Tokens, algorithm: Any) -> None:
    refuse(tokens, assemble(ring, alg=algorithm))


def test_unsigned_tokens(ring: KeyRing, tokens: Tokens) -> None:
    for algorithm in ("none", "ES256"):
        header, payload, _ = assemble(ring, alg=algorithm).split(".")
        for unsigned in (f"{header}.{payload}.", f"{header}.{payload}", f"{header}.{payload}.{b64(bytes(64))}"):
            refuse(tokens, unsigned)


@pytest.mark.parametrize("claimed", ["HS256", "ES256"])
@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_hmac_with_our_public_key_as_secret(
    ring: KeyRing, tokens: Tokens, encoding: serialization.Encoding, claimed: str
) -> None:
    secret = ring.active_signing_key.public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    header, payload, _ = assemble(ring, alg=claimed).split(".")
    forged = hmac.digest(secret, f"{header}.{payload}".encode(), hashlib.sha256)
    refuse(tokens, f"{header}.{payload}.{b64(forged)}")
    refuse(tokens, f"{header}.{payload}.{b64(forged + forged)}")


def test_a_stranger_s_key(ring: KeyRing, tokens: Tokens) -> None:
    refuse(tokens, assemble(ring, private=ec.generate_private_key(ec.SECP256R1())))


def test_the_kid_of_one_key_with_the_signature_of_another(ring: KeyRing, tokens: Tokens) -> None:
    former = ring.active_signing_key
    ring.rotate("signing")
    refuse(tokens, assemble(ring, kid=former.kid))
    refuse(tokens, assemble(ring, private=former.private))
    tokens.verify_access_token(assemble(ring, private=former.private, kid=former.kid))


@pytest.mark.parametrize("kid", ["", "unknown", "../../keys.json", "' OR 1=1 --", None, 1, ["a"], {"a": 1}, "\x00", MISSING])
def test_unknown_and_odd_kids(ring: KeyRing, tokens: Tokens, kid: Any) -> None:
    refuse(tokens, assemble(ring, kid=kid))


@pytest.mark.parametrize("name", ["crit", "jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256", "b64", "zip", "cty", "enc", "anything"])
def test_headers_beside_the_three(ring: KeyRing, tokens: Tokens, name: str) -> None:
    header: dict[str, Any] = {name: ["exp"] if name == "crit" else "https://attacker.example/jwks.json"}
    refuse(tokens, assemble(ring, **header))


def test_a_key_brought_along(ring: KeyRing, tokens: Tokens) -> None:
    mine = ec.generate_private_key(ec.SECP256R1())
    numbers = mine.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
    refuse(tokens, assemble(ring, private=mine, jwk=jwk))
    refuse(tokens, assemble(ring, private=mine, jwk=jwk, kid=MISSING))


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "AT+JWT", "application/at+jwt", "attestation+jwt", "", None, ["at+jwt"], {}, MISSING]
)
def test_other_types(ring: KeyRing, tokens: Tokens, typ: Any) -> None:
    refuse(tokens, assemble(ring, typ=typ))


def test_an_attestation_is_no_token_and_a_token_no_attestation(tokens: Tokens) -> None:
    refuse(tokens, tokens.sign_attestation(payload_of()))
    token = tokens.issue_access_token(subject=SUBJECT, level=Level.DISTRICT, area="350702", duties=[Duty.REVIEWER])
    with pytest.raises(Malformed):
        tokens.verify_attestation(token)


# claims


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "jti", "iat", "exp", "level", "area", "duties"])
@pytest.mark.parametrize("value", [MISSING, None, "", [], {}, True, 1.5, "x", -1, 10**30])
def test_missing_and_misshapen_claims(ring: KeyRing, tokens: Tokens, name: str, value: Any) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify_access_token(assemble(ring, payload_of(**{name: value})))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE]},
        {"aud": [AUDIENCE, "other"]},
        {"aud": ["other"]},
        {"aud": "other"},
        {"aud": f"{AUDIENCE} "},
        {"aud": AUDIENCE.upper()},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": "https://attacker.example"},
        {"sub": "district.admin"},
        {"jti": "x" * 36},
        {"level": "province"},
        {"level": "community"},
        {"area": "35070"},
        {"area": "350702\n"},
        {"area": "３５０７０２"},
        {"area": 350702},
        {"duties": "reviewer"},
        {"duties": ["root"]},
        {"duties": ["reviewer", "community_worker"]},
        {"duties": ["reviewer"] * 100},
        {"duties": {"reviewer": 1}},
        {"sid": "x"},
        {"sid": 1},
        {"exp": "9999999999"},
        {"iat": "1"},
        {"nbf": int(time.time()) + 3600},
        {"nbf": "soon"},
        {"at_hash": "x"},
    ],
)
def test_wrong_claims(ring: KeyRing, tokens: Tokens, changes: dict[str, Any]) -> None:
    refuse(tokens, assemble(ring, payload_of(**changes)))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b"NaN",
        b"[" * 2000,
        b'{"a":' * 500,
        b"1" * 1000,
        b'{"exp": Infinity}',
        b'{"iat": 1e999, "exp": -1e999}',
    ],
)
def test_signed_garbage(ring: KeyRing, tokens: Tokens, payload: bytes) -> None:
    key = ring.active_signing_key
    head = b64(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}).encode())
    signed = f"{head}.{b64(payload)}"
    refuse(tokens, f"{signed}.{b64(es256(private_of(key), signed.encode()))}")


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "9" * 400])
def test_instants_without_end(ring: KeyRing, tokens: Tokens, name: str, number: str) -> None:
    payload = json.dumps(payload_of(**{name: "@"})).replace('"@"', number).encode()
    refuse(tokens, assemble(ring, payload))


# time


@pytest.mark.parametrize(
    ("age", "accepted"), [(0, True), (599, True), (600 + LEEWAY_SECONDS - 1, True), (600 + LEEWAY_SECONDS, False), (3600, False)]
)
def test_expiry_and_its_leeway(ring: KeyRing, tokens: Tokens, age: int, accepted: bool) -> None:
    with time_machine.travel(1_790_000_000, tick=False) as clock:
        token = assemble(ring)
        clock.shift(age)
        if accepted:
            tokens.verify_access_token(token)
        else:
            with pytest.raises(Unauthenticated) as caught:
                tokens.verify_access_token(token)
            assert caught.value.code == "token_expired"


@pytest.mark.parametrize(("ahead", "accepted"), [(LEEWAY_SECONDS, True), (LEEWAY_SECONDS + 1, False), (3600, False)])
def test_tokens_from_the_future(ring: KeyRing, tokens: Tokens, ahead: int, accepted: bool) -> None:
    with time_machine.travel(1_790_000_000, tick=False):
        token = assemble(ring, payload_of(iat=1_790_000_000 + ahead, exp=1_790_000_000 + ahead + 60))
        if accepted:
            tokens.verify_access_token(token)
        else:
            refuse(tokens, token)


@pytest.mark.parametrize(("lifetime", "accepted"), [(900, True), (901, False), (10**9, False), (0, False), (-1, False)])
def test_lifetimes(ring: KeyRing, tokens: Tokens, lifetime: int, accepted: bool) -> None:
    with time_machine.travel(1_790_000_000, tick=False):
        token = assemble(ring, payload_of(exp=1_790_000_000 + lifetime))
        if accepted:
            tokens.verify_access_token(token)
        else:
            refuse(tokens, token)


def test_a_former_key_verifies_as_long_as_its_tokens_live(ring: KeyRing, tokens: Tokens) -> None:
    token = tokens.issue_access_token(subject=SUBJECT, level=Level.DISTRICT, area="350702", duties=[Duty.REVIEWER])
    former = ring.active_signing_key
    attestation = tokens.sign_attestation({"enrolled": True})
    ring.rotate("signing")
    tokens.verify_access_token(token)
    with time_machine.travel(time.time() + 3600, tick=False):
        stolen = assemble(ring, private=former.private, kid=former.kid)
        refuse(tokens, stolen)
        assert tokens.verify_attestation(attestation) == {"enrolled": True}
    ring.retire("signing", former.kid)
    refuse(tokens, token)


# the token as text


def test_altered_signatures_and_texts(ring: KeyRing, tokens: Tokens) -> None:
    token = assemble(ring)
    header, payload, signature = token.split(".")
    for place in range(len(token)):
        if token[place] != ".":
            refuse(tokens, token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])
    for wrong in (f"{payload}.{header}.{signature}", f"{header}.{payload}.{signature}.{signature}", f"{header}..{signature}"):
        refuse(tokens, wrong)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "Bearer x.y.z", "\x00", "口令甲乙", "\ud800", "x" * 100_000, "." * 4000]
)
def test_texts_that_are_no_tokens(tokens: Tokens, text: str) -> None:
    refuse(tokens, text)


@pytest.mark.parametrize("spelling", ["{}=", "{}==", " {}", "{}\n", "{}\x00", "\ufeff{}"])
def test_one_token_has_one_spelling(ring: KeyRing, tokens: Tokens, spelling: str) -> None:
    token = assemble(ring)
    refuse(tokens, spelling.format(token))
    for foreign in ("!", "\n", "=", "+", "/", " "):
        refuse(tokens, f"{token[:40]}{foreign}{token[40:]}")


def test_the_unused_bits_of_a_signature_must_be_zero(ring: KeyRing, tokens: Tokens) -> None:
    token = assemble(ring)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    refuse(tokens, token[:-1] + alphabet[alphabet.index(token[-1]) + 1])


def test_oversized_tokens(ring: KeyRing, tokens: Tokens) -> None:
    token = assemble(ring, payload_of(padding="x" * MAX_TOKEN_CHARACTERS))
    assert len(token) > MAX_TOKEN_CHARACTERS
    refuse(tokens, token)


@pytest.mark.parametrize("header", [b"[" * 2500, b'{"a":' * 500, b"[]", b"null", b"{", b"\xff", b"1" * 2900, b'"ES256"'])
def test_hostile_headers(ring: KeyRing, tokens: Tokens, header: bytes) -> None:
    _, payload, signature = assemble(ring).split(".")
    refuse(tokens, f"{b64(header)}.{payload}.{signature}")


def test_a_header_member_given_twice(ring: KeyRing, tokens: Tokens) -> None:
    key = ring.active_signing_key
    head = f'{{"alg":"ES256","typ":"at+jwt","kid":"{key.kid}","alg":"none"}}'
    signed = f"{b64(head.encode())}.{b64(json.dumps(payload_of()).encode())}"
    refuse(tokens, f"{signed}.{b64(es256(private_of(key), signed.encode()))}")


# attestations and the key set


def test_attestations_verify_and_altered_ones_do_not(tokens: Tokens) -> None:
    payload = {"query_id": str(new_id()), "results": [{"programme": "dibao", "enrolled": True}], "note": "按所报姓名"}
    attestation = tokens.sign_attestation(payload)
    assert tokens.verify_attestation(attestation) == payload
    header, body, signature = attestation.split(".")
    other = b64(json.dumps(payload | {"note": ""}).encode())
    for wrong in (f"{header}.{other}.{signature}", f"{header}.{body}.{b64(bytes(64))}", "", "x", "a" * 70_000):
        with pytest.raises(Malformed) as caught:
            tokens.verify_attestation(wrong)
        assert caught.value.code == "invalid_attestation"


@pytest.mark.parametrize("payload", [b"[]", b"null", b"1", b"{", b"[" * 3000])
def test_a_signed_attestation_must_be_an_object(ring: KeyRing, tokens: Tokens, payload: bytes) -> None:
    with pytest.raises(Malformed):
        tokens.verify_attestation(assemble(ring, payload, typ="attestation+jwt"))


def test_an_attestation_may_be_longer_than_a_token(tokens: Tokens) -> None:
    long = {"results": ["x" * 100] * 400}
    assert tokens.verify_attestation(tokens.sign_attestation(long)) == long


def test_the_key_set_shows_public_halves_of_all_live_keys(ring: KeyRing, tokens: Tokens) -> None:
    former = ring.active_signing_key.kid
    new = ring.rotate("signing")
    keys = tokens.jwks()["keys"]
    assert [key["kid"] for key in keys] == [new, former]
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")


def test_a_bureau_can_verify_with_the_published_key(ring: KeyRing, tokens: Tokens) -> None:
    attestation = tokens.sign_attestation({"enrolled": False})
    (key,) = tokens.jwks()["keys"]
    assert jwt.decode(attestation, key, algorithms=["ES256"]) == {"enrolled": False}
    assert key["kid"] == ring.active_signing_key.kid


def test_keys_are_prepared_once(ring: KeyRing) -> None:
    key = ring.active_signing_key
    assert _verifying_key(key) is _verifying_key(key)
