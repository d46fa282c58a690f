"""Settings come from the environment (prefix `MARKETPLACE_`) and, when present, from `.env`.

The names of servers have no prefix: `DATABASE_URL`, `MIGRATION_DATABASE_URL` and `REDIS_URL`.
`docs/settings.md` is generated from the descriptions here.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _data_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "marketplace"


class Settings(BaseSettings):
    """Everything an operator may set; each default is safe for one machine."""

    model_config = SettingsConfigDict(
        env_prefix="MARKETPLACE_", env_file=".env", extra="ignore", populate_by_name=True
    )

    database_url: str = Field(
        default="",
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 or newer. Empty: an embedded server in the data folder.",
    )
    migration_database_url: str = Field(
        default="",
        validation_alias="MIGRATION_DATABASE_URL",
        description=(
            "The same database, as the user who owns the tables; only `marketplace migrate` reads "
            "it. Empty: `DATABASE_URL`, and the application takes on a role that owns nothing."
        ),
    )
    redis_url: str = Field(
        default="",
        validation_alias="REDIS_URL",
        description=(
            "Redis or Valkey, for refresh tokens, rate limits and live updates. "
            "Empty: in memory, which is right for one web process only."
        ),
    )
    data_folder: Path = Field(
        default_factory=_data_folder,
        description="Where the embedded database, its socket and uploaded files live.",
    )
    files_bucket: str = Field(
        default="",
        max_length=63,
        description=(
            "A bucket of an S3-compatible store, for uploaded results. Empty: the folder `files` "
            "in the data folder, which several machines would have to share."
        ),
    )
    files_endpoint: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?$",
        description="Address of that store. Empty: that of Amazon S3 in the region.",
    )
    files_region: str = Field(default="us-east-1", description="Region of that store.")
    files_key: SecretStr = Field(
        default=SecretStr(""), description="Access key of that store: may read, write and delete."
    )
    files_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that belongs to the access key."
    )
    province: str = Field(
        default="jiangsu",
        description="The rulebook: `jiangsu`, `hunan`, `national`, or the path of a TOML file.",
    )
    token_secret: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Signs access tokens (HS256), at least 32 bytes. "
            "Empty: a random one is kept in the data folder; with several machines set it."
        ),
    )
    access_token_minutes: int = Field(
        default=10, ge=1, le=60, description="How long an access token is good for."
    )
    refresh_token_days: int = Field(
        default=14, ge=1, le=90, description="How long a sign-in lives without being used."
    )
    tour_file: str = Field(
        default="",
        description=(
            "Sign-ins that the start page offers with one click, written by `marketplace demo`. "
            "Only for made-up data: whoever opens the page can act as each of them."
        ),
    )
    page_session_hours: int = Field(
        default=12,
        ge=1,
        le=336,
        description="A browser that is not used for so long has to sign in again.",
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=100, description="Connections to PostgreSQL per process."
    )
    statement_timeout_seconds: int = Field(
        default=30, ge=1, le=600, description="PostgreSQL ends a statement after this long."
    )
    request_bytes_max: int = Field(
        default=1_000_000, ge=10_000, description="Largest JSON body that is read."
    )
    upload_bytes_max: int = Field(
        default=50_000_000, ge=100_000, description="Largest file that is read."
    )
    clamd: str = Field(
        default="",
        pattern=r"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5})?$",
        description=(
            "Host and port of ClamAV's daemon, for instance `127.0.0.1:3310`: results, evidence "
            "and attachments are scanned before they are kept, and refused while it does not "
            "answer. Empty: nothing is scanned."
        ),
    )
    requests_per_minute: int = Field(
        default=600, ge=1, description="Requests per minute and caller before 429."
    )
    sign_ins_per_minute: int = Field(
        default=20, ge=1, description="Attempts to sign in per minute and address before 429."
    )
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that `serve` listens on.")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        description=(
            "Where people reach the platform, without a path. Addresses of calendar feeds begin "
            "with it, and events carry its host in their names: calendars that subscribed show "
            "everything twice once it changes."
        ),
    )
    outside_hosts_allowed: str = Field(
        default="",
        max_length=2_000,
        description=(
            "Hosts that outside calendars may be fetched from although their addresses are "
            "private, by comma: for a calendar server in the same network. Never one whose name "
            "others can point elsewhere."
        ),
    )
    live_streams_max: int = Field(
        default=1_000, ge=1, description="Live streams that one web process keeps open before 503."
    )
    live_streams_per_address: int = Field(
        default=50, ge=1, description="Live streams per process and client address before 429."
    )
    live_stream_seconds: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="A live stream ends after this long, and the page comes again by itself.",
    )
    web_processes: int = Field(
        default=1, ge=1, le=64, description="Web processes; more than one needs `REDIS_URL`."
    )
    log_format: Literal["json", "console"] = Field(
        default="console", description="`json` for machines, `console` for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least important level that is written."
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
