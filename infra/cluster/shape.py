"""What of the cluster and of its images may differ between environments?"""

from datetime import date
from ipaddress import IPv4Address, IPv4Network

from pydantic import Field, field_validator

from infra.foundation.shape import RoleArn, Shape


class ClusterShape(Shape):
    """EKS."""

    version: str = Field(pattern=r"^1\.\d\d$", description="the Kubernetes minor version, quoted")
    standard_support_ends: date = Field(description="the day on which AWS ends standard support of that version")
    service_cidr: IPv4Network = Field(description="addresses of Kubernetes services; outside every network")
    api_public_cidrs: tuple[IPv4Network, ...] = Field(
        description="who reaches the API from outside the VPC; [] makes it private"
    )
    api_private_cidrs: tuple[IPv4Network, ...] = Field(
        description="who reaches the API inside the VPC or over networks connected with it, beside the nodes"
    )
    deployer_role: RoleArn = Field(description="the ARN of the role that runs deployments: cluster administrator")
    viewer_roles: tuple[RoleArn, ...] = Field(description="ARNs of roles that may read everything but secrets")
    developer_roles: tuple[RoleArn, ...] = Field(description="ARNs of roles that may edit the service's namespace")

    @field_validator("api_public_cidrs")
    @classmethod
    def _limited(cls, cidrs: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if any(cidr.prefixlen < 16 for cidr in cidrs):
            raise ValueError("the API may be opened to networks of at most /16, never to the world")
        return cidrs

    @field_validator("api_private_cidrs")
    @classmethod
    def _inside(cls, cidrs: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if any(not cidr.is_private or cidr.prefixlen < 16 for cidr in cidrs):
            raise ValueError(
                "addresses inside the VPC or a network connected with it: private ones, at most a /16 each"
            )
        return cidrs

    def admits(self, runner: IPv4Address, network: IPv4Network) -> bool:
        """Whether a deployer at this address reaches the API, given the addresses of the VPC."""
        inside = runner in network or any(runner in cidr for cidr in self.api_private_cidrs)
        return any(runner in cidr for cidr in (self.api_private_cidrs if inside else self.api_public_cidrs))
