"""Where on this machine does an address of a VPC stand? Each VPC has a 127.N.0.0/16 of its own, last bytes the same.

A VPC is a /16 at most (VPC user guide, "VPC CIDR blocks"), so two bytes name any address in it. Nothing is routed: a
pod's 10.10.3.7 is listened for at 127.N.3.7, which no other machine can reach and which needs no root.
"""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Loopback:
    """One VPC's image: `vpc` its first two bytes ("10.10"), `network` the N of 127.N."""

    vpc: str
    network: int

    @classmethod
    def of(cls, cidr: str, network: int) -> "Loopback":
        """For the CIDR block of a VPC."""
        return cls(".".join(cidr.split(".")[:2]), network)

    def local(self, address: str) -> str:
        """Where an address of the VPC is listened for."""
        return f"127.{self.network}.{_tail(address)}"

    def inside(self, local: str) -> str | None:
        """The VPC's address behind one of this machine's; None for any other (a person, a program of the machine)."""
        return f"{self.vpc}.{_tail(local)}" if local.startswith(f"127.{self.network}.") else None


def nth(cidr: str, number: int) -> str:
    """The address that many after the start of a block; counted from its end when negative."""
    return str(ipaddress.ip_network(cidr)[number])


def _tail(address: str) -> str:
    return ".".join(address.split(".")[2:])
