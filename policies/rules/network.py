"""What must hold for VPCs, subnets, security groups and access lists?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import FALSE, must

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"


@rule()
def vpc_flow_logs(stack: Stack) -> Findings:
    """Every VPC records its traffic in a flow log."""
    logs = list(stack.of("aws:ec2/flowLog:FlowLog"))
    for vpc in stack.of(VPC):
        if not any(stack.linked(logs, "vpcId", vpc)):
            yield Finding("", "the VPC has no flow log", vpc.urn)


@rule(SUBNET)
def subnet_no_auto_public_ip(subnet: Resource) -> Findings:
    """No subnet hands out public addresses on its own."""
    yield from must(subnet, "mapPublicIpOnLaunch", FALSE, default=False)
