"""What may differ between accounts? One frozen model per concern; no field has a default."""

from typing import Annotated

from pydantic import Field

from infra.foundation.shape import Shape

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Domain = Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]


class ZoneShape(Shape):
    """Names below the environment's own."""

    delegations: dict[Domain, Annotated[tuple[Domain, ...], Field(min_length=2)]] = Field(
        description="by name, the output nameServers of other accounts' zones that lie below this one; {} for none"
    )


class RegistryShape(Shape):
    """ECR."""

    kept_images: int = Field(ge=5, le=1000, description="images kept, so that a release can be rolled back to")
    replicated: bool = Field(description="true copies every image to the recovery region")
    promoted_to: tuple[AccountId, ...] = Field(
        description="accounts whose deploying role copies images from here; [] where nothing is built"
    )
