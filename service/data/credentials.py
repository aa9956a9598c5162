"""Which password opens the database and the cache? A configured one, or an IAM token that expires in minutes.

IAM tokens are signatures made on this machine: no call to AWS, only to wherever botocore finds credentials.
Formats: RDS "connecting using IAM authentication", ElastiCache "authenticating with IAM" of the AWS guides.
"""

import time
from collections.abc import Callable
from typing import Any

from redis.credentials import CredentialProvider
from sqlalchemy.engine import make_url

from service.settings import CacheSettings, DatabaseSettings

TOKEN_SECONDS = 900  # AWS accepts a token for 15 minutes after signing
RENEW_AFTER = 600
Password = Callable[[], str]


class Renewed:
    """Calls `sign` again when the last answer is older than `RENEW_AFTER` seconds."""

    def __init__(self, sign: Password, clock: Callable[[], float] = time.monotonic) -> None:
        self._sign, self._clock = sign, clock
        self._value, self._at = "", float("-inf")

    def __call__(self) -> str:
        """The token to use now."""
        if self._clock() - self._at >= RENEW_AFTER:
            self._value, self._at = self._sign(), self._clock()
        return self._value


def database_password(settings: DatabaseSettings, region: str) -> Password:
    """The password for a new database connection, asked for at every connect so that rotation needs no restart."""
    if settings.authentication == "password":
        return lambda: settings.password.get_secret_value() if settings.password else ""
    url = make_url(settings.url)

    def sign() -> str:
        token: str = (
            _session()
            .client("rds", region_name=region)
            .generate_db_auth_token(url.host or "", url.port or 3306, url.username or "")
        )
        return token

    return Renewed(sign)


def cache_credentials(settings: CacheSettings, region: str) -> CredentialProvider | None:
    """User and password for a new cache connection; None when the cache asks for none."""
    if settings.authentication == "iam":
        return IamCredentials(settings, region)
    if settings.password is not None:
        return FixedCredentials(settings)
    return None


class FixedCredentials(CredentialProvider):
    """A configured password."""

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """User (when configured) and password."""
        password = self._settings.password.get_secret_value() if self._settings.password else ""
        return (self._settings.user, password) if self._settings.user else (password,)


class IamCredentials(CredentialProvider):
    """User id and a signed `connect` request without its scheme, as ElastiCache expects it."""

    def __init__(self, settings: CacheSettings, region: str, clock: Callable[[], float] = time.monotonic) -> None:
        if not settings.user or not settings.name:
            raise ValueError("cache.authentication is iam: cache.user and cache.name are needed")
        self._user, self._name, self._region = settings.user, settings.name, region
        self._token = Renewed(self._sign, clock)

    def get_credentials(self) -> tuple[str, str]:
        """The IAM user and a token that is valid for at least five minutes."""
        return self._user, self._token()

    def _sign(self) -> str:
        from botocore.model import ServiceId  # noqa: PLC0415 (a second of imports that only AWS needs)
        from botocore.signers import RequestSigner  # noqa: PLC0415

        session = _session()
        signer = RequestSigner(
            ServiceId("elasticache"), self._region, "elasticache", "v4", session.get_credentials(), session.events
        )
        request = {
            "method": "GET",
            "url": f"http://{self._name}/?Action=connect&User={self._user}",
            "body": {},
            "headers": {},
            "context": {},
        }
        url: str = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=TOKEN_SECONDS, region_name=self._region
        )
        return url.removeprefix("http://")


def secret_of(arn: str, region: str) -> str:
    """The text of a secret in AWS Secrets Manager. Raises ValueError with AWS's code when it is not handed out."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        answer = _session().client("secretsmanager", region_name=region).get_secret_value(SecretId=arn)
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        raise ValueError(f"--master-secret: AWS Secrets Manager does not hand it out ({code})") from None
    text: str = answer["SecretString"]
    return text


def _session() -> Any:
    import boto3  # noqa: PLC0415 (half a second that an embedded start does not need)

    return boto3.Session()
