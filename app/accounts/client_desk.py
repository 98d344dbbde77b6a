"""What an administrator does with the clients of other bureaus: the systems that may ask for a person's status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.desk import Record, check_name
from app.accounts.lockout import Kind, lock_name
from app.accounts.secrets import client_secret
from app.accounts.sessions import next_second
from app.db.repositories import accounts, directory
from app.db.repositories.audit import AuditEntry
from app.db.tables.accounts import Client
from app.dependencies import check_version
from app.domain.access import AreaScope
from app.domain.errors import Conflict
from app.ids import new_id
from app.security.passwords import Passwords
from app.security.tokens import client_public_jwk


@dataclass(frozen=True, slots=True)
class ClientDesk:
    """Keeps the clients of ``scope``, a district, in one transaction; ``by`` is the administrator's name."""

    scope: AreaScope
    session: AsyncSession
    passwords: Passwords
    record: Record
    by: str

    async def add(self, client_id: str, name: str, public_jwk: Mapping[str, Any] | None) -> tuple[Client, str | None]:
        """A client that signs its own assertions (``public_jwk``), or one with a secret, which is answered this once.

        Raises ``Malformed`` for a key that isn't a public P-256 one, ``Conflict`` ``client_id_taken``.
        """
        check_name(client_id, "/client_id")
        now = datetime.now(UTC)
        client = Client(
            id=new_id(),
            client_id=client_id,
            name=name,
            area_code=self.scope.prefix,
            district=self.scope.district,
            version=1,
            created_at=now,
            created_by=self.by,
            tokens_valid_from=now,
        )
        secret = await self._set_credentials(client, public_jwk)
        await directory.add(self.scope, self.session, client)
        await self._note("client_added", client, ["client_id", "name", _credential(client)])
        return client, secret

    async def rotate(self, uid: UUID, version: int | None, public_jwk: Mapping[str, Any] | None) -> tuple[Client, str | None]:
        """New credentials in place of the former, whose tokens end at once: another key, or a new secret."""
        client = await self._open(uid, version)
        secret = await self._set_credentials(client, public_jwk)
        client.tokens_valid_from = next_second(datetime.now(UTC))
        await accounts.clear_failures(self.session, lock_name(Kind.CLIENT, client.id))
        await self._changed("client_credentials_rotated", client, [_credential(client)])
        return client, secret

    async def disable(self, uid: UUID, version: int | None) -> Client:
        """No sign-in, and existing tokens are refused from the next request on."""
        client = await self._open(uid, version)
        if client.disabled_at is not None:
            raise Conflict("client_disabled", "该客户端已经停用，无须再次停用。")
        now = datetime.now(UTC)
        client.disabled_at, client.tokens_valid_from = now, next_second(now)
        await self._changed("client_disabled", client, ["disabled_at"])
        return client

    async def enable(self, uid: UUID, version: int | None) -> Client:
        client = await self._open(uid, version)
        if client.disabled_at is None:
            raise Conflict("client_not_disabled", "该客户端没有停用，无须启用。")
        client.disabled_at = None
        await self._changed("client_enabled", client, ["disabled_at"])
        return client

    async def _open(self, uid: UUID, version: int | None) -> Client:
        client = await directory.get_client(self.scope, self.session, uid, lock=True)
        check_version(version, client.version)
        return client

    async def _set_credentials(self, client: Client, public_jwk: Mapping[str, Any] | None) -> str | None:
        """One kind at a time, so that a forgotten secret doesn't stay good beside a key."""
        if public_jwk is not None:
            client.public_jwk, client.secret_hash = dict(client_public_jwk(public_jwk)), None
            return None
        secret = client_secret()
        client.public_jwk, client.secret_hash = None, await self.passwords.hash(secret)
        return secret

    async def _changed(self, action: str, client: Client, fields: Sequence[str]) -> None:
        client.version += 1
        await self.session.flush()
        await self._note(action, client, fields)

    async def _note(self, action: str, client: Client, fields: Sequence[str]) -> None:
        await self.record(AuditEntry(action, "client", client.id, area_code=client.area_code, fields=fields))


def _credential(client: Client) -> str:
    return "secret" if client.public_jwk is None else "public_jwk"
