"""What of the way in may differ between environments?"""

from typing import Literal

from pydantic import Field

from infra.foundation.shape import Shape


class EdgeShape(Shape):
    """CloudFront, firewall, domain, load balancer."""

    domain: str = Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$", description="the service's domain name")
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        description="where CloudFront serves from: PriceClass_100, PriceClass_200 or PriceClass_All"
    )
    cloudfront_prefix_list: str = Field(
        pattern=r"^pl-[0-9a-f]{8,17}$",
        description="the id of com.amazonaws.global.cloudfront.origin-facing in the region",
    )
    firewall: Literal["count", "block"] = Field(description="what the firewall does with a match: count or block")
    firewall_logs: bool = Field(description="true logs what the firewall matched")
    requests_per_5_minutes: int = Field(ge=100, le=2_000_000, description="requests of one address in 5 minutes")
