"""May every pod of every environment reach what its settings name, and nothing else? Proven without a process."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rehearsal.aws.authorization import account as accounts
from rehearsal.aws.authorization.account import Account
from rehearsal.aws.authorization.caller import Caller
from rehearsal.live.stand_ins.aws.judgement import Judgement, permissions
from rehearsal.live.stand_ins.aws.pod_identity import Pod, PodIdentity
from rehearsal.live.stand_ins.aws.sessions import Sessions
from tests.permissions.pods import Container, containers
from tests.permissions.uses import IDLE, USES, needs


@dataclass(frozen=True)
class Estate:
    """One environment's graph, read."""

    rows: list[dict[str, Any]]
    account: Account
    proxy: str
    containers: list[Container]

    def session(self, container: Container) -> Caller:
        """Who a container is to AWS, through its association and its role's trust policy."""
        cluster = next(row["inputs"]["name"] for row in self.rows if row["type"] == "aws:eks/cluster:Cluster")
        agent = PodIdentity(Judgement(lambda: self.account, Sessions(b"")), _nobody, lambda _: None)
        return agent.session(Pod(cluster, container.namespace, container.service_account, container.owner))


async def _nobody(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def estate(rows: list[dict[str, Any]]) -> Estate:
    (proxy,) = set(re.findall(r"(?<=dbuser:)prx-\w+", str(rows)))
    return Estate(rows, accounts.read(rows), proxy, list(containers(rows)))


def of_service(estate: Estate) -> Iterator[Container]:
    for container in estate.containers:
        if container.of_service:
            yield container


def test_every_command_of_the_graph_is_in_the_table(estate: Estate) -> None:
    assert {one.command for one in of_service(estate)} == set(USES)


def test_every_pod_may_do_what_its_command_does(estate: Estate) -> None:
    refused = []
    for container in of_service(estate):
        caller = estate.session(container)
        for need in needs(container, estate.account, estate.proxy):
            for endpoint in (None, estate.account.endpoints.get(need.action.partition(":")[0])):
                decision = estate.account.decide(caller, need.action, need.resource, need.context, endpoint)
                if not decision.allowed:
                    refused.append(f"{container.owner}: {decision.reason}")
    assert refused == []


def test_every_pod_may_do_nothing_else(estate: Estate) -> None:
    """Each action of a role stands in the table of uses, follows from it for a key, or is explained in idle.yaml."""
    for container in of_service(estate):
        role = estate.account.pods[container.namespace, container.service_account]
        taken = list(needs(container, estate.account, estate.proxy))
        idle = {
            one.action
            for one in permissions({role: estate.account.roles[role]})
            if not any(one.covers(need.action, need.resource) for need in taken)
        }
        assert idle == set(IDLE.get(container.service_account, ())), container.owner


def test_what_every_role_may_do_ends_at_its_own_environment(estate: Estate) -> None:
    """The same calls for the things of another environment are refused."""
    (own,) = {one.environment["TECNOCURSOS_ENVIRONMENT"] for one in of_service(estate)}
    for container in of_service(estate):
        caller = estate.session(container)
        for need in needs(container, estate.account, estate.proxy):
            other = re.sub(rf"tecnocursos([-/]){own}([-/])", r"tecnocursos\1elsewhere\2", need.resource)
            other = re.sub(r"(key/mrk-|dbuser:prx-|secret:rds!db-)\w\w", r"\g<1>zz", other)
            assert other != need.resource
            assert not estate.account.decide(caller, need.action, other, need.context).allowed, other


def test_a_pod_of_another_service_account_gets_no_role(estate: Estate) -> None:
    for container in of_service(estate):
        stranger = Container(container.owner, "default", container.service_account, "", (), {}, {})
        with pytest.raises(Exception, match="no role is associated"):
            estate.session(stranger)


def test_dashboards_may_read_the_metrics_that_their_sources_name(estate: Estate) -> None:
    (grafana,) = (one for one in estate.containers if "grafana" in one.image)
    caller = estate.session(grafana)
    (workspace,) = set(re.findall(r"arn:aws:aps:[^\"\\]+:workspace/ws-[\w-]+", str(estate.rows)))
    for action in ("aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics"):
        assert estate.account.decide(caller, action, workspace).allowed
    for action in ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics"):
        assert estate.account.decide(caller, action).allowed
    assert not estate.account.decide(caller, "aps:RemoteWrite", workspace).allowed
