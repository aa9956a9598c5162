"""Who may do what? Roles are sets of named permissions; ownership is checked where the row is read."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user is."""

    VIEWER = "viewer"
    CREATOR = "creator"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route asks for."""

    CATALOGUE_READ = "catalogue:read"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    MEDIA_WRITE = "media:write"
    VIDEOS_REQUEST = "videos:request"
    USERS_MANAGE = "users:manage"
    AUDIT_READ = "audit:read"


VIEWER = frozenset({Permission.CATALOGUE_READ, Permission.PROJECTS_READ})
CREATOR = VIEWER | {Permission.PROJECTS_WRITE, Permission.MEDIA_WRITE, Permission.VIDEOS_REQUEST}
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: VIEWER,
    Role.CREATOR: CREATOR,
    Role.ADMIN: CREATOR | {Permission.USERS_MANAGE, Permission.AUDIT_READ},
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a verified access token."""

    user_id: str
    role: Role
    session_id: str
    expires: int

    def may(self, permission: Permission) -> bool:
        """Does the role grant it?"""
        return permission in GRANTS[self.role]
