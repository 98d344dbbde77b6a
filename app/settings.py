"""The one settings object, built once from the environment; every limit carries its unit in its name."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SecretFiles(PydanticBaseSettingsSource):
    """``NAME_FILE`` names a file that holds the setting ``NAME``: what orchestrators mount is no environment variable."""

    def __call__(self) -> dict[str, Any]:
        found = ((name, self.get_field_value(field, name)[0]) for name, field in self.settings_cls.model_fields.items())
        return {name: value for name, value in found if value is not None}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Only of secrets: ``KEY_FILE`` is a setting of its own."""
        named = os.environ.get(f"{field_name.upper()}_FILE") if field.annotation == SecretStr | None else None
        return (Path(named).read_text("utf-8").strip() if named else None), field_name, False


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
    max_requests_in_flight: int = Field(default=300, ge=1)  # of one process; more are answered 503 at once
    page_default: int = 50
    page_max: int = 200
    idempotency_hours: int = 48

    # background
    worker_in_api: bool = True
    seal_interval_seconds: float = 1.0
    job_lease_seconds: int = 30
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)  # the worker's /metrics; unset = none
    payment_inline_benefits: int = Field(default=2_000, ge=0)  # a batch with more is computed by a job

    # imports
    import_poll_seconds: float = Field(default=0.5, gt=0)  # how often progress is looked at for those who listen
    import_heartbeat_seconds: float = Field(default=15.0, gt=0)  # proxies close what is silent
    import_listen_seconds: float = Field(default=300.0, gt=0)  # then the listener comes again, with a fresh token if need be
    import_content_days: int = Field(default=90, ge=1)  # files sent and rejected rows are kept for so long
    import_undo_days: int = Field(default=365, ge=1)  # what stood before an import is kept for so long, to be put back
    import_undo_inline_rows: int = Field(default=2_000, ge=0)  # an import that wrote more is taken back by a job
    export_content_days: int = Field(default=7, ge=1)  # files of people's data lie ready to be fetched for so long

    log_level: str = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic-settings passes them by name)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @cached_property
    def issuer(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @cached_property
    def keys_path(self) -> Path:
        return self.key_file or self.data_dir / "keys.json"
