"""Which question to the AWS CLI does the rehearsal answer? `aws eks get-token`, which every EKS kubeconfig asks."""

import argparse
import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

from rehearsal import runner, world
from rehearsal.aws import api_server
from rehearsal.cluster import eks
from rehearsal.cluster.control_plane import ClusterError
from rehearsal.errors import RehearsalError
from rehearsal.world import World


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
        _reach(options.cluster_name)
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


def _reach(name: str) -> None:
    """Raises RehearsalError when the cluster's API server does not answer where the deployer stands."""
    with closing(World(world.folder())) as cloud:
        for cluster in cloud.rows("aws:eks/cluster:Cluster", name=name):
            if reason := api_server.refusal(cluster, runner.current(), cloud):
                raise RehearsalError(reason)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
