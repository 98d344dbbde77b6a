"""The one settings object, built once from the environment; every limit carries its unit in its name."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from environment variables of the upper-case name (``DATABASE_URL``, ``PORT`` …)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None)

    # where things are
    data_dir: Path = Path(".minzheng")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str | None = None  # the issuer of tokens; default http://host:port
    demo: bool = False

    # the database: application role, and the owner for migrations; unset = the embedded Postgres
    database_url: SecretStr | None = None
    database_admin_url: SecretStr | None = None
    database_status_url: SecretStr | None = None
    database_seal_url: SecretStr | None = None
    pool_size: int = Field(default=10, ge=1)
    pool_timeout_seconds: float = 5.0
    statement_timeout_ms: int = 15_000
    idle_in_transaction_timeout_ms: int = 30_000

    # keys and algorithms
    key_file: Path | None = None  # default data_dir/keys.json
    field_cipher: Literal["aes-256-gcm-siv", "sm4-gcm"] = "aes-256-gcm-siv"

    # tokens
    audience: str = "minzheng"
    access_token_seconds: int = Field(default=900, ge=60, le=900)
    refresh_token_seconds: int = 12 * 3600
    lockout_failures: int = 5
    lockout_seconds: int = 1800

    # limits at the edge
    max_body_bytes: int = 1 << 20
    max_upload_bytes: int = 256 << 20
    page_default: int = 50
    page_max: int = 200
    idempotency_hours: int = 48

    # background
    worker_in_api: bool = True
    seal_interval_seconds: float = 1.0
    job_lease_seconds: int = 30

    log_level: str = "INFO"

    @cached_property
    def issuer(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @cached_property
    def keys_path(self) -> Path:
        return self.key_file or self.data_dir / "keys.json"
