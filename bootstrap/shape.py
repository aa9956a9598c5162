"""What may differ between accounts? One frozen model per concern; no field has a default."""

from typing import Annotated

from pydantic import Field

from infra.foundation.shape import Shape

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
RolePattern = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/[\w+=,.@*/-]*[\w+=,.@/-]{4}\*?$")]
Domain = Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]


class ZoneShape(Shape):
    """Names below the environment's own."""

    delegations: dict[Domain, Annotated[tuple[Domain, ...], Field(min_length=2)]] = Field(
        description="by name, the output nameServers of other accounts' zones that lie below this one; {} for none"
    )


class GithubShape(Shape):
    """The repository whose workflows deploy. The numbers outlive a renaming: nobody else can take the name over."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name")
    owner_id: str = Field(pattern=r"^\d+$", description="the owner's number, quoted: .owner.id of GitHub's /repos API")
    repository_id: str = Field(pattern=r"^\d+$", description="the repository's number, quoted: .id of the same answer")


class PeopleShape(Shape):
    """Who may become what, besides workflows."""

    break_glass: tuple[RolePattern, ...] = Field(
        min_length=1, description="patterns of the role ARNs that may use the break-glass role; each use pages"
    )


class RegistryShape(Shape):
    """ECR."""

    kept_images: int = Field(ge=5, le=1000, description="images kept, so that a release can be rolled back to")
    replicated: bool = Field(description="true copies every image to the recovery region")
    built_in: AccountId = Field(description="the account where images are built, quoted; its own number there")
    promoted_to: tuple[AccountId, ...] = Field(
        description="accounts whose deploying role copies images from here; [] where nothing is built"
    )
