"""Which question to the AWS CLI does the rehearsal answer? `aws eks get-token`, which every EKS kubeconfig asks."""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta

from rehearsal.cluster import eks
from rehearsal.cluster.control_plane import ClusterError
from rehearsal.errors import RehearsalError


def main(argv: list[str]) -> int:
    """Print an ExecCredential; exit code 1 when there is no such cluster, 252 (the AWS CLI's) for other questions."""
    if argv[:2] != ["eks", "get-token"]:
        sys.stderr.write("aws: this stand-in of the rehearsal only answers `eks get-token`\n")
        return 252
    parser = argparse.ArgumentParser(prog="aws eks get-token")
    parser.add_argument("--cluster-name", required=True)
    for ignored in ("--region", "--output", "--role-arn", "--profile"):
        parser.add_argument(ignored)
    options = parser.parse_args(argv[2:])
    try:
        token = eks.token(options.cluster_name)
    except (ClusterError, RehearsalError) as error:
        sys.stderr.write(f"aws: {error}\n")
        return 1
    expires = datetime.now(UTC) + timedelta(minutes=14)
    credential = {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "spec": {},
        "status": {"expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": token},
    }
    sys.stdout.write(json.dumps(credential) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
