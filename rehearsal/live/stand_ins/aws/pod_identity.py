"""How does a pod get its role's credentials? EKS Pod Identity's agent on the node: a token in, credentials out.

EKS user guide, "EKS Pod Identity": the SDK asks AWS_CONTAINER_CREDENTIALS_FULL_URI with the token of the pod's service
account; the role that is associated with the account is taken for it, with session tags that its trust policy may test.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from rehearsal.aws.authorization.caller import Caller
from rehearsal.live.stand_ins.aws.judgement import Judgement
from rehearsal.live.stand_ins.judge import Denied

SECONDS = 6 * 3600
SERVICE = "pods.eks.amazonaws.com"


@dataclass(frozen=True)
class Pod:
    """Whose token it is."""

    cluster: str
    namespace: str
    service_account: str
    name: str


Identify = Callable[[str], Awaitable[Pod | None]]


class PodIdentity:
    """The agent; `identify` knows the pod behind a token, or None."""

    def __init__(self, judgement: Judgement, identify: Identify, say: Callable[[str], None]) -> None:
        self._judgement, self._identify, self._say = judgement, identify, say
        self._runner: web.AppRunner | None = None

    async def start(self, address: str, port: int) -> int:
        """Listen on `/v1/credentials`; the port, chosen when 0 is given."""
        app = web.Application()
        app.router.add_get("/v1/credentials", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            pod = await self._identify(request.headers.get("Authorization", ""))
            if pod is None:
                raise Denied("the token is of no pod")
            caller = self.session(pod)
        except Denied as denied:
            self._say(f"pod identity: {denied}")
            return web.Response(status=400, text=str(denied))
        expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SECONDS)
        made = self._judgement.sessions.issue(caller, expires)
        return web.json_response(
            {
                "AccessKeyId": made.key_id,
                "SecretAccessKey": made.secret,
                "Token": made.token,
                "AccountId": self._judgement.account().number,
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )

    def session(self, pod: Pod) -> Caller:
        """The session that a pod gets. Raises Denied without an association, or when the role does not trust it."""
        account = self._judgement.account()
        role = account.pods.get((pod.namespace, pod.service_account))
        if role is None:
            raise Denied(f"no role is associated with {pod.namespace}/{pod.service_account}")
        cluster = f"arn:aws:eks:{account.region}:{account.number}:cluster/{pod.cluster}"
        tags = {
            "eks-cluster-arn": cluster,
            "eks-cluster-name": pod.cluster,
            "kubernetes-namespace": pod.namespace,
            "kubernetes-service-account": pod.service_account,
            "kubernetes-pod-name": pod.name,
        }
        extra = {"aws:SourceAccount": account.number, "aws:SourceArn": cluster}
        taken = account.assume(role, Caller.service(SERVICE), name=f"eks-{pod.name}"[:64], tags=tags, extra=extra)
        if taken.session is None:
            raise Denied(taken.decision.reason)
        return taken.session
