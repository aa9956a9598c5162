"""What is the service called on the internet? Certificates for its name, proven in the account's zone."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

CLOUDFRONT_REGION = "us-east-1"
VALIDATION_TTL_SECONDS = 300


@dataclass(frozen=True)
class DomainArgs:
    """name: the service's domain."""

    name: str


class Domain(pulumi.ComponentResource):
    """The zone's id, and two certificates for the same name: one for viewers, one for the load balancer."""

    name: str
    zone_id: pulumi.Output[str]
    viewer_certificate_arn: pulumi.Output[str]
    origin_certificate_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Domain", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.name = args.name
        # The zone is the account's own project's (bootstrap/): it must be delegated before a certificate can be issued.
        self.zone_id = aws.route53.get_zone_output(
            name=args.name, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        ).zone_id
        aws.route53.Record(
            f"{name}-authorities",
            zone_id=self.zone_id,
            name=args.name,
            type="CAA",
            ttl=VALIDATION_TTL_SECONDS,
            records=['0 issue "amazon.com"', '0 issuewild ";"'],
            opts=self._child,
        )
        viewer = self._certificate(f"{name}-viewer", CLOUDFRONT_REGION)
        origin = self._certificate(f"{name}-origin", None)
        # One account, one name: ACM asks both certificates for the same record.
        option = viewer.domain_validation_options[0]
        proof = aws.route53.Record(
            f"{name}-validation",
            zone_id=self.zone_id,
            name=option.resource_record_name,
            type=option.resource_record_type,
            records=[option.resource_record_value],
            ttl=VALIDATION_TTL_SECONDS,
            opts=self._child,
        )
        self.viewer_certificate_arn = self._validated(f"{name}-viewer", viewer, proof, CLOUDFRONT_REGION)
        self.origin_certificate_arn = self._validated(f"{name}-origin", origin, proof, None)
        self.register_outputs({"zoneId": self.zone_id})

    def _certificate(self, label: str, region: str | None) -> aws.acm.Certificate:
        return aws.acm.Certificate(
            label,
            domain_name=self.name,
            validation_method="DNS",
            key_algorithm="EC_prime256v1",
            region=region,
            tags={"Name": label},
            opts=self._child,
        )

    def _validated(
        self, label: str, certificate: aws.acm.Certificate, proof: aws.route53.Record, region: str | None
    ) -> pulumi.Output[str]:
        """The certificate's ARN once it is issued: what uses it earlier is refused."""
        return aws.acm.CertificateValidation(
            label,
            certificate_arn=certificate.arn,
            validation_record_fqdns=[proof.fqdn],
            region=region,
            opts=self._child,
        ).certificate_arn
