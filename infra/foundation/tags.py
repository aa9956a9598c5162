"""Which tags does a resource carry? Static facts only: a tag that changes with each deploy touches every resource."""

from collections.abc import Mapping
from enum import StrEnum

from infra.foundation.environment import PROJECT, Environment

REPOSITORY = "tecnocursos/platform"


class DataClass(StrEnum):
    """How sensitive the data in a resource is; the classes of the information security policy."""

    PUBLIC = "public"  # meant for the world: published videos
    INTERNAL = "internal"  # operations: logs, metrics
    PERSONAL = "personal"  # about people (GDPR): users, projects, uploads
    SECRET = "secret"  # noqa: S105 (a class, not a value): keys and credentials


def default_tags(environment: Environment) -> Mapping[str, str]:
    """What the provider puts on every resource."""
    return {
        "project": PROJECT,
        "environment": environment.name,
        "owner": "platform-team",
        "cost-centre": f"{PROJECT}-{environment.name}",
        "repository": REPOSITORY,
        "managed-by": "pulumi",
    }


def data(data_class: DataClass, backup: str = "none", **more: str) -> Mapping[str, str]:
    """Tags of a resource that holds data.

    backup: the row of backup_plan.yaml that protects it; `none` says that it is deliberately left out.
    """
    return {"data-class": data_class, "backup": backup, **more}


def named(name: str, **more: str) -> Mapping[str, str]:
    """Tags with the Name that the AWS console shows."""
    return {"Name": name, **{key.replace("_", "-"): value for key, value in more.items()}}
