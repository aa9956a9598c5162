"""What can be configured, from which sources, and which values are refused?

Sources, first wins: environment (`TECNOCURSOS_DATABASE__URL`), files in the secrets directory
(`database__password`), one JSON secret in AWS Secrets Manager, the defaults (embedded development).
"""

import os
import secrets
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    AWSSecretsManagerSettingsSource,
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service.ai.settings import AISettings
from service.limits import LIMITS

PREFIX = "TECNOCURSOS_"
SHORTEST_KEY = 32  # bytes: an HS256 key shorter than its hash is refused by RFC 7518, section 3.2


class Environment(StrEnum):
    """Where the service runs; everything but `dev` is treated as public."""

    DEV = "dev"
    STAGING = "staging"
    PRODUCTION = "production"


def database_url(text: str) -> str:
    """The text, when it leads to a database. Raises ValueError, which does not repeat it: it may hold a password."""
    try:
        if make_url(text).drivername in ("sqlite+aiosqlite", "mysql+asyncmy"):
            return text
    except (ArgumentError, ValueError):
        pass
    raise ValueError("a URL mysql+asyncmy://user@host:port/name or sqlite+aiosqlite:///file is needed")


class DatabaseSettings(BaseModel):
    """One MySQL (through a proxy) or an SQLite file."""

    url: Annotated[str, AfterValidator(database_url)] = "sqlite+aiosqlite:///.service/service.sqlite"
    password: SecretStr | None = None
    authentication: Literal["password", "iam"] = "password"
    certificate_authority: Path | None = Field(
        default=None, description="PEM bundle; set: TLS is required and verified"
    )
    pool_size: Annotated[int, Field(ge=1, le=200)] = 16
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        default=5.0, description="seconds to wait for a connection"
    )
    answer_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        default=10.0, description="seconds before a server that says nothing counts as lost"
    )
    connection_limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="what the server allows; unset: asked of the server at start"
    )


class CacheSettings(BaseModel):
    """One Redis or Valkey endpoint, cluster mode off; unset: counted in this process."""

    url: Annotated[str, Field(pattern=r"^rediss?://[^\s/]+(:\d+)?(/\d+)?$")] | None = None
    password: SecretStr | None = None
    authentication: Literal["password", "iam"] = "password"
    user: str | None = None
    name: str | None = Field(default=None, description="replication group id, part of what an IAM token signs")
    timeout: Annotated[float, Field(gt=0, le=5)] = Field(
        default=0.25, description="seconds before a call counts as failed"
    )
    page_seconds: Annotated[int, Field(ge=1, le=3600)] = 60


class MediaSettings(BaseModel):
    """Where uploads and videos are kept."""

    bucket: str | None = Field(default=None, description="S3 bucket; unset: files under `folder`")
    folder: Path = Path(".service/media")
    endpoint: str | None = Field(default=None, description="S3 endpoint other than AWS's own")
    largest_upload: Annotated[int, Field(ge=1, le=LIMITS.upload)] = Field(default=LIMITS.upload, description="bytes")
    link_seconds: Annotated[int, Field(ge=30, le=3600)] = 600


class SecuritySettings(BaseModel):
    """Tokens, passwords and limits."""

    token_keys: list[SecretStr] = Field(default=[], description="the first signs, all verify: rotation without logout")
    access_minutes: Annotated[int, Field(ge=1, le=60)] = 15
    refresh_days: Annotated[int, Field(ge=1, le=90)] = 30
    hashing_share: Annotated[float, Field(gt=0, le=1)] = Field(default=0.25, description="of one core, per worker")
    rate_factor: Annotated[float, Field(gt=0)] = Field(default=1.0, description="multiplies every zone's limit")
    audit_days: Annotated[int, Field(ge=1)] = Field(default=365, description="that a line of the audit trail is kept")
    tighten_above: Annotated[int, Field(ge=1)] = Field(default=64, description="requests in flight per worker")
    trusted_proxies: list[IPv4Network | IPv6Network] = []
    viewer_header: str | None = Field(
        default=None,
        description="the outermost proxy tells ADDRESS:PORT of the caller in it; unset: X-Forwarded-For",
    )
    cors_origins: list[str] = []


class MailSettings(BaseModel):
    """How mail is sent. Without a transport no password is set anew, and nobody is asked to confirm an address."""

    transport: Literal["none", "smtp", "ses"] = "none"
    sender: str = "TecnoCursos <no-reply@tecnocursos.example>"
    site: str = Field(default="http://127.0.0.1:8000", description="where the links of mails lead, without a slash")
    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_tls: bool = Field(default=True, description="STARTTLS, with a certificate that is verified")
    smtp_user: str = ""
    smtp_password: SecretStr | None = Field(default=None, description="unset: no login")
    ses_endpoint: str | None = Field(default=None, description="SES endpoint other than AWS's own")


class WorkerSettings(BaseModel):
    """How videos are rendered: the database owns the jobs, the broker only wakes workers."""

    broker: Annotated[str, Field(pattern=r"^(memory|redis|rediss|sqs)://")] = "memory://"
    broker_password: SecretStr | None = None
    queue: str = "tecnocursos-videos"
    queue_url: str | None = Field(default=None, description="URL of an SQS queue that exists already")
    folder: Path = Field(default=Path(".service/work"), description="temporary files and rendered scenes")
    lease_seconds: Annotated[float, Field(gt=0, le=600)] = Field(default=30.0, description="a worker may be silent")
    sweep_seconds: Annotated[float, Field(gt=0, le=60)] = Field(default=10.0, description="between looks for work")
    attempts: Annotated[int, Field(ge=1, le=10)] = Field(default=3, description="until a video is given up")
    longest_seconds: Annotated[float, Field(gt=0)] = Field(default=1800.0, description="one attempt may take")
    per_user: Annotated[int, Field(ge=1)] = Field(default=1, description="videos of one user rendered at once")
    scenes_at_once: Annotated[int, Field(ge=1, le=16)] = 2
    niceness: Annotated[int, Field(ge=0, le=19)] = Field(default=10, description="of rendering, beside other work")
    cache_bytes: Annotated[int, Field(ge=0)] = Field(default=2**29, description="of rendered scenes kept in `folder`")
    cache_hours: Annotated[float, Field(gt=0, le=720)] = Field(
        default=24.0, description="that a rendered scene is kept after its last use: so long it outlives its author"
    )
    least_free_bytes: Annotated[int, Field(ge=0)] = Field(
        default=128 * 2**20, description="in `folder`: with less no video is begun"
    )
    heartbeat: Path | None = Field(
        default=Path("/tmp/heartbeat"),  # noqa: S108 (a volume of the pod's own)
        description="file that a worker touches while it is well; the pod's probe looks at it",
    )


class LogSettings(BaseModel):
    """Where JSON lines go."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    sink: Literal["console", "file", "syslog"] = "console"
    file: Path = Path(".service/service.log")
    syslog: str = "/dev/log"
    tracker_url: SecretStr | None = Field(
        default=None, description="Sentry-compatible DSN; unset: errors are only logged"
    )
    trace_endpoint: str | None = Field(default=None, description="OTLP over HTTP; unset: no traces")
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05


class Settings(BaseSettings):
    """Everything that differs between environments. Raises ValidationError for unsafe values outside `dev`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True)

    environment: Environment = Environment.DEV
    version: str = "development"
    region: str = "us-east-1"
    most_pods: Annotated[int, Field(ge=1)] = Field(
        default=1, description="pods at most, each one process: pool arithmetic"
    )
    drain_seconds: Annotated[float, Field(ge=0, le=120)] = Field(
        default=10.0, description="from SIGTERM until no new request is taken"
    )
    stop_seconds: Annotated[int, Field(ge=1, le=120)] = Field(
        default=30, description="after these, for the requests under way"
    )
    documentation: bool = True
    database: DatabaseSettings = DatabaseSettings()
    cache: CacheSettings = CacheSettings()
    media: MediaSettings = MediaSettings()
    security: SecuritySettings = SecuritySettings()
    mail: MailSettings = MailSettings()
    logs: LogSettings = LogSettings()
    worker: WorkerSettings = WorkerSettings()
    ai: AISettings = AISettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, files, AWS; a `.env` file is not read, so that none is ever committed."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        sources.append(
            NestedSecretsSettingsSource(
                file_secret_settings,
                secrets_dir=secrets_folder(),
                secrets_dir_missing="ok",
                secrets_prefix="",
                secrets_nested_delimiter="__",
            )
        )
        if secret := os.environ.get(f"{PREFIX}AWS_SECRET"):
            sources.append(
                AWSSecretsManagerSettingsSource(
                    settings_cls,
                    secret,
                    region_name=os.environ.get(f"{PREFIX}REGION"),
                    endpoint_url=os.environ.get(f"{PREFIX}AWS_ENDPOINT"),
                    case_sensitive=False,
                    env_prefix="",
                    env_nested_delimiter="__",
                )
            )
        return tuple(sources)

    @property
    def leaving_seconds(self) -> float:
        """Between SIGTERM and the end of the last request: what a pod's grace must hold, beside its pre-stop sleep."""
        return self.drain_seconds + self.stop_seconds

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.environment is Environment.DEV:
            if not self.security.token_keys:
                self.security.token_keys.append(SecretStr(secrets.token_urlsafe(SHORTEST_KEY)))
            return self
        problems = list(unsafe(self))
        if problems:
            raise ValueError(f"unsafe outside dev: {'; '.join(problems)}")
        return self


def unsafe(settings: Settings) -> list[str]:
    """What must not be so where strangers can reach the service; names settings, never values."""
    security, database, cache = settings.security, settings.database, settings.cache
    keys = [key.get_secret_value() for key in security.token_keys]
    checks = [
        (not keys, "security.token_keys is empty: every worker would sign with a key of its own"),
        (any(len(key) < SHORTEST_KEY for key in keys), f"security.token_keys holds one below {SHORTEST_KEY} bytes"),
        (any(len(set(key)) < 8 for key in keys), "security.token_keys holds one that is easily guessed"),
        (database.url.startswith("sqlite"), "database.url is SQLite: several pods cannot share a file"),
        (make_url(database.url).password is not None, "database.url carries a password: use database.password"),
        (database.certificate_authority is None, "database.certificate_authority is unset: the connection is in clear"),
        (cache.url is None, "cache.url is unset: limits and revocations would not be shared"),
        (cache.url is not None and not cache.url.startswith("rediss://"), "cache.url is not rediss://: no TLS"),
        (settings.media.bucket is None, "media.bucket is unset: a pod's disk is not kept"),
        (settings.worker.broker.startswith("memory"), "worker.broker is memory://: no worker outside would be woken"),
        ("*" in security.cors_origins, "security.cors_origins allows every origin"),
        (any(not o.startswith("https://") for o in security.cors_origins), "security.cors_origins has a plain origin"),
        (settings.mail.transport != "none" and not settings.mail.site.startswith("https://"), "mail.site is not https"),
        (settings.mail.transport == "smtp" and not settings.mail.smtp_tls, "mail.smtp_tls is off: links go in clear"),
        (security.rate_factor > 10, "security.rate_factor above 10 switches the limits off"),
    ]
    return [text for bad, text in checks if bad]


def secrets_folder() -> Path:
    """The folder of mounted secrets (it need not exist)."""
    return Path(os.environ.get(f"{PREFIX}SECRETS_DIR", "/var/run/secrets/tecnocursos"))


def explain(error: ValidationError) -> str:
    """A refusal in one line, field by field: name, kind of value, what is wrong; never the value itself."""
    return "; ".join(f"{'.'.join(map(str, row['loc'])) or 'settings'}: {row['msg']}" for row in error.errors())
