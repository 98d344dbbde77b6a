"""JSON web tokens, ES256 only. The only file that imports jose, whose gaps it closes.

jose accepts by itself: any algorithm when none is named, a token without ``aud`` or ``exp``, unknown ``crit``, a future
``iat``, and every key of a set whatever ``kid`` says. So the header is read first, by an allow-list, exactly one cached key
is chosen by its ``kid``, and every claim is required and checked for its type.

Three kinds of signed object, kept apart by ``typ`` so that none can pass for another: access tokens (``at+jwt``, RFC 9068),
attestations of a status query (``attestation+jwt``), and client assertions (``JWT``, RFC 7523) that a bureau signs itself.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from jose import jwk, jws, jwt
from jose.backends.base import Key
from jose.exceptions import ExpiredSignatureError, JOSEError

from app.domain.access import AREA_DIGITS, LEVEL_OF_DUTY, Duty, Level
from app.domain.errors import FieldError, Malformed, Unauthenticated
from app.ids import new_id
from app.security.keys import KeyRing, SigningKey

ALGORITHM: Final = "ES256"
ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  (a media type)
ATTESTATION_TYPE: Final = "attestation+jwt"
ASSERTION_TYPES: Final = (None, "JWT", "client-authentication+jwt")

MAX_TOKEN_CHARACTERS: Final = 4096
MAX_ATTESTATION_CHARACTERS: Final = 64 * 1024
MAX_LIFETIME_SECONDS: Final = 900
MAX_ASSERTION_LIFETIME_SECONDS: Final = 300
LEEWAY_SECONDS: Final = 10
MAX_JTI_CHARACTERS: Final = 128

# Exactly 64 bytes of signature in canonical base64url: jose would skip foreign characters, so that one token had many spellings.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")
_REQUIRED: Final = {f"require_{claim}": True for claim in ("exp", "iat", "aud", "iss", "sub", "jti")}
# What hostile JSON raises inside the library: deep nesting, numbers without end, values of another type.
_HOSTILE: Final = (JOSEError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. Instants are Unix seconds. ``session`` names the sign-in that it belongs to."""

    subject: UUID
    jti: UUID
    level: Level
    area: str
    duties: frozenset[Duty]
    issued_at: int
    expires_at: int
    session: UUID | None


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """A verified ``private_key_jwt``. The caller refuses a ``jti`` of this client seen before, and remembers it until
    ``expires_at`` (Unix seconds, leeway included).
    """

    client_id: str
    jti: str
    expires_at: int


def _refused(detail: str = "访问令牌无效，请重新登录。") -> Unauthenticated:
    return Unauthenticated("invalid_token", detail)


class Tokens:
    """Issues and verifies everything we sign. ``issuer`` and ``audience`` are compared exactly."""

    def __init__(self, ring: KeyRing, *, issuer: str, audience: str, lifetime_seconds: int = MAX_LIFETIME_SECONDS) -> None:
        if not 0 < lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise ValueError(f"access tokens live at most {MAX_LIFETIME_SECONDS} seconds")
        self._ring = ring
        self._issuer = issuer
        self._audience = audience
        self.lifetime_seconds = lifetime_seconds

    def issue_access_token(
        self, *, subject: UUID, level: Level, area: str, duties: Iterable[Duty], session: UUID | None = None
    ) -> str:
        """A token for one account or client. Raises ValueError when level, area and duties don't fit together."""
        issued_at = int(time.time())
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(subject),
            "jti": str(new_id()),
            "iat": issued_at,
            "exp": issued_at + self.lifetime_seconds,
            "level": level.value,
            "area": area,
            "duties": sorted(duty.value for duty in duties),
        }
        if session is not None:
            payload["sid"] = str(session)
        _claims(payload)
        return self._sign(payload, ACCESS_TOKEN_TYPE)

    def verify_access_token(self, token: str) -> Claims:
        """Raises `Unauthenticated` ``invalid_token`` (or ``token_expired``), whatever is wrong with it."""
        _refuse_shape(token, MAX_TOKEN_CHARACTERS)
        key = self._chosen_key(_header(token, (ACCESS_TOKEN_TYPE,)))
        if key.retired_at is not None and time.time() > key.retired_at.timestamp() + MAX_LIFETIME_SECONDS + LEEWAY_SECONDS:
            raise _refused()  # no token signed before the rotation can still be alive
        try:
            payload = jwt.decode(
                token,
                _verifying_key(key),
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options=_REQUIRED | {"leeway": LEEWAY_SECONDS},
            )
            claims = _claims(payload)
        except _HOSTILE as fault:
            raise _expired_or_refused(fault) from None
        if payload["aud"] != self._audience or payload["iss"] != self._issuer:
            raise _refused()
        _refuse_times(claims.issued_at, claims.expires_at, MAX_LIFETIME_SECONDS)
        return claims

    def sign_attestation(self, payload: Mapping[str, Any]) -> str:
        """A compact JWS over a JSON-ready payload; verifiable with the JWKS also after the key was rotated."""
        return self._sign(payload, ATTESTATION_TYPE)

    def verify_attestation(self, attestation: str) -> dict[str, Any]:
        """The payload of one of our attestations. Raises `Malformed` ``invalid_attestation``."""
        try:
            _refuse_shape(attestation, MAX_ATTESTATION_CHARACTERS)
            key = self._chosen_key(_header(attestation, (ATTESTATION_TYPE,)))
            payload = json.loads(jws.verify(attestation, _verifying_key(key), [ALGORITHM]))
            _require(isinstance(payload, dict))
        except (*_HOSTILE, Unauthenticated):
            raise Malformed("invalid_attestation", "该凭证不是本系统签发的，或已被改动；请重新查询。") from None
        return dict(payload)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The body of ``/.well-known/jwks.json``: the active key first, then the retiring ones."""
        return {"keys": [key.public_jwk() for key in self._ring.signing_keys()]}

    def _chosen_key(self, header: Mapping[str, Any]) -> SigningKey:
        kid = header.get("kid")
        key = self._ring.find_signing_key(kid) if isinstance(kid, str) else None
        if key is None:
            raise _refused()
        return key

    def _sign(self, payload: Mapping[str, Any], kind: str) -> str:
        key = self._ring.active_signing_key
        return jws.sign(payload, _signing_key(key), headers={"typ": kind, "kid": key.kid}, algorithm=ALGORITHM)


# keys of the library, made once per key of the ring


@lru_cache(maxsize=64)
def _verifying_key(key: SigningKey) -> Key:
    return jwk.construct(key.public, ALGORITHM)  # type: ignore[arg-type]  # the stubs don't know key objects


@lru_cache(maxsize=8)
def _signing_key(key: SigningKey) -> Key:
    return jwk.construct(key.private, ALGORITHM)  # type: ignore[arg-type]  # the stubs don't know key objects


# checks common to all kinds


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("claim of the wrong shape")


def _refuse_shape(token: str, longest: int) -> None:
    if len(token) > longest or _COMPACT.fullmatch(token) is None:
        raise _refused()


def _header(token: str, kinds: tuple[str | None, ...]) -> dict[str, Any]:
    """The header, unverified but harmless: nothing beside alg, typ, kid (so no crit, jku, x5u, jwk, b64, zip …)."""
    try:
        header = jws.get_unverified_header(token)
        _require(header.keys() <= {"alg", "typ", "kid"})
        _require(header.get("alg") == ALGORITHM and header.get("typ") in kinds)
    except _HOSTILE:
        raise _refused() from None
    return header


def _refuse_times(issued_at: int, expires_at: int, longest: int) -> None:
    now = time.time()
    if issued_at > now + LEEWAY_SECONDS or not 0 < expires_at - issued_at <= longest:
        raise _refused()
    if now >= expires_at + LEEWAY_SECONDS:
        raise _expired()


def _expired() -> Unauthenticated:
    return Unauthenticated("token_expired", "登录已过期，请刷新令牌或重新登录。")


def _expired_or_refused(fault: BaseException) -> Unauthenticated:
    return _expired() if isinstance(fault, ExpiredSignatureError) else _refused()


def _claims(payload: Mapping[str, Any]) -> Claims:
    """Shapes of our own claims. Raises ValueError, TypeError or KeyError."""
    level = Level(payload["level"])
    area, duties, session = payload["area"], payload["duties"], payload.get("sid")
    _require(isinstance(area, str) and re.fullmatch(r"[0-9]+", area) is not None and len(area) == AREA_DIGITS[level])
    _require(isinstance(duties, list) and 0 < len(duties) <= len(Duty))
    held = frozenset(Duty(duty) for duty in duties)
    _require(all(LEVEL_OF_DUTY[duty] is level for duty in held))
    return Claims(
        subject=UUID(payload["sub"]),
        jti=UUID(payload["jti"]),
        level=level,
        area=area,
        duties=held,
        issued_at=_whole_seconds(payload["iat"]),
        expires_at=_whole_seconds(payload["exp"]),
        session=None if session is None else UUID(session),
    )


def _whole_seconds(value: object) -> int:
    if type(value) is not int:
        raise TypeError("instants are whole seconds")
    return value


# private_key_jwt (RFC 7523)


def _refused_client() -> Unauthenticated:
    return Unauthenticated("invalid_client", "客户端身份验证失败，请检查签名密钥、aud 和有效期后重试。")


def _not_a_key() -> Malformed:
    message = "公钥须为 P-256 椭圆曲线的 JWK，且不得含私钥参数 d；请重新导出公钥。"
    return Malformed("malformed", message, errors=[FieldError("/public_jwk", "public_jwk_invalid", message)])


def client_public_jwk(given: Mapping[str, Any]) -> dict[str, str]:
    """The JWK to keep for a client: kty, crv, x, y and nothing else. Raises `Malformed` unless it is a public P-256 key."""
    if "d" in given or given.get("kty") != "EC" or given.get("crv") != "P-256":
        raise _not_a_key()
    x, y = given.get("x"), given.get("y")
    if not isinstance(x, str) or not isinstance(y, str) or not re.fullmatch(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}", f"{x}.{y}"):
        raise _not_a_key()
    try:
        _client_key(x, y)
    except _HOSTILE:
        raise _not_a_key() from None
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


@lru_cache(maxsize=512)
def _client_key(x: str, y: str) -> Key:
    return jwk.construct({"kty": "EC", "crv": "P-256", "x": x, "y": y}, ALGORITHM)


def client_of_assertion(assertion: str) -> str:
    """Whom an assertion claims to be from, **unverified**: only for finding the key to verify it with.

    Raises `Unauthenticated` ``invalid_client``.
    """
    try:
        _refuse_shape(assertion, MAX_TOKEN_CHARACTERS)
        subject = jwt.get_unverified_claims(assertion).get("sub")
    except (*_HOSTILE, Unauthenticated):
        raise _refused_client() from None
    if not isinstance(subject, str):
        raise _refused_client()
    return subject


def verify_client_assertion(
    assertion: str, *, client_id: str, public_jwk: Mapping[str, Any], token_endpoint: str
) -> ClientAssertion:
    """Verify a ``private_key_jwt`` with the client's registered public JWK: iss = sub = client, aud = our token endpoint,
    lives at most 5 minutes. Raises `Unauthenticated` ``invalid_client``. A repeated jti is the caller's to refuse.
    """
    try:
        _refuse_shape(assertion, MAX_TOKEN_CHARACTERS)
        _header(assertion, ASSERTION_TYPES)
        key = client_public_jwk(public_jwk)
        payload = jwt.decode(
            assertion,
            _client_key(key["x"], key["y"]),
            algorithms=[ALGORITHM],
            audience=token_endpoint,
            issuer=client_id,
            subject=client_id,
            options=_REQUIRED | {"leeway": LEEWAY_SECONDS},
        )
        expires_at = _whole_seconds(payload["exp"])
        _require(payload["aud"] in (token_endpoint, [token_endpoint]))
        _require(0 < len(payload["jti"]) <= MAX_JTI_CHARACTERS and payload["jti"].isprintable())
        _refuse_times(_whole_seconds(payload["iat"]), expires_at, MAX_ASSERTION_LIFETIME_SECONDS)
    except (*_HOSTILE, Unauthenticated, Malformed):
        raise _refused_client() from None
    return ClientAssertion(client_id, payload["jti"], expires_at + LEEWAY_SECONDS)
