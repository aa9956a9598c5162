"""Which keys does the account have before any estate? For Pulumi's state, for the secrets in it, for the rest."""

from dataclasses import dataclass
from enum import StrEnum

import pulumi

from infra.foundation import keys, tags
from infra.foundation.environment import Environment
from infra.foundation.keys import EncryptionKey, KeyArgs


class AccountKey(StrEnum):
    """What a key protects; also the end of its alias."""

    STATE = "account-state"  # the objects of the state bucket
    SECRETS = "account-secrets"  # what is secret in Pulumi's configuration and state
    OPERATIONS = "account-operations"  # images, trails, alarms


@dataclass(frozen=True)
class AccountKeysArgs:
    """deletion_window_days: how long a scheduled deletion can be taken back."""

    environment: Environment
    deletion_window_days: int


class AccountKeys(pulumi.ComponentResource):
    """The keys, by what they protect."""

    keys: dict[AccountKey, EncryptionKey]

    def __init__(self, name: str, args: AccountKeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Keys", name, None, opts)
        self.keys = {purpose: self._key(purpose, args) for purpose in AccountKey}
        self.register_outputs({})

    def _key(self, purpose: AccountKey, args: AccountKeysArgs) -> EncryptionKey:
        own = [keys.own_policies(args.environment)]
        internal = purpose is AccountKey.OPERATIONS
        tagged = tags.data(tags.DataClass.INTERNAL if internal else tags.DataClass.SECRET)
        return keys.create(purpose, KeyArgs(args.environment, purpose, args.deletion_window_days, own, tagged), self)
