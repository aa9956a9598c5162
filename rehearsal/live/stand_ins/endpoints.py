"""What answers under the names of AWS's own services? Gateway, Pod Identity, and CloudFront's way to S3."""

import secrets
from collections.abc import Callable
from pathlib import Path

from aiohttp import ClientSession, web

from rehearsal.aws.authorization.caller import Caller
from rehearsal.cluster import control_plane
from rehearsal.live.part import Ground
from rehearsal.live.pods.api import UNREACHABLE, ApiServer, Refused
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.stand_ins.aws.calls import Need
from rehearsal.live.stand_ins.aws.gateway import Gateway
from rehearsal.live.stand_ins.aws.judgement import Judgement
from rehearsal.live.stand_ins.aws.pod_identity import Pod, PodIdentity
from rehearsal.live.stand_ins.judge import Denied
from rehearsal.live.stand_ins.secret_values import SecretValues
from rehearsal.live.stand_ins.store import Store
from rehearsal.live.view import View

_SERVICES = ("secretsmanager", "sqs", "sns", "s3", "sts", "kms", "email", "aps-workspaces", "logs", "monitoring")
_PUBLIC, _IDENTITY = "52.94.0.4", "169.254.170.23"
_GATEWAY_PORT, _IDENTITY_PORT, _OBJECTS_PORT, _STORE_PORT = 8443, 8080, 8081, 5000
_BUCKET = "aws:s3/bucket:Bucket"
_AUDIENCE = "pods.eks.amazonaws.com"


class Endpoints:
    """AWS's endpoints for pods, and for the edge."""

    def __init__(self, ground: Ground, judgement: Judgement, values: SecretValues, clusters: Path) -> None:
        self._ground, self._clusters, self._judgement = ground, clusters, judgement
        self._store = Store(ground.folder / "moto", (ground.plan.stand_in(6), _STORE_PORT), values, ground.say)
        self._gateway = Gateway(judgement, self._store.url, ground.say)
        self._identity = PodIdentity(judgement, self._pod, ground.say)
        self._objects = Objects(judgement, self._store.url, ground.say)
        self._api: dict[str, ApiServer] = {}
        self._regions: tuple[str, ...] = ()
        self._runs = False
        self.objects = (ground.plan.stand_in(4), _OBJECTS_PORT)

    async def settle(self, view: View) -> None:
        """Begin with the first account that is there; fill the store."""
        account = next((row.account for row in view.rows if row.account.isdigit()), None)
        if account is None:
            return
        await self._store.start(account)
        if not self._runs:
            self._runs = True
            local = self._ground.plan.stand_in(4)
            regions = {row.outputs.get("region") for row in view.rows}
            self._regions = tuple(sorted(one for one in regions if isinstance(one, str) and one.count("-") >= 2))
            tls = self._ground.authority.server(*self._names())
            await self._gateway.start(local, _GATEWAY_PORT, tls)
            await self._identity.start(self._ground.plan.stand_in(23), _IDENTITY_PORT)
            await self._objects.start(*self.objects)
        await self._store.settle(view)

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """One public address for all services and buckets; the link-local one of Pod Identity."""
        if not self._runs:
            return []
        buckets = [
            f"{row.outputs['bucket']}.s3.{part}amazonaws.com"
            for row in view.all(_BUCKET)
            for part in ("", f"{row.outputs['region']}.")
        ]
        names = (*(f"{s}.{r}.amazonaws.com" for s in _SERVICES for r in self._regions), "s3.amazonaws.com", *buckets)
        return [
            ("", Endpoint(names, _PUBLIC, 443, (self._ground.plan.stand_in(4), _GATEWAY_PORT))),
            ("", Endpoint((), _IDENTITY, 80, (self._ground.plan.stand_in(23), _IDENTITY_PORT))),
        ]

    async def close(self) -> None:
        """Stop all of it."""
        for one in (self._gateway, self._identity, self._objects):
            await one.stop()
        for api in self._api.values():
            await api.close()
        self._store.stop()

    def _names(self) -> list[str]:
        regional = [f"{start}{r}.amazonaws.com" for r in self._regions for start in ("*.", "*.s3.")]
        return [*regional, "*.s3.amazonaws.com", "s3.amazonaws.com"]

    async def _pod(self, token: str) -> Pod | None:
        """Whose token this is: asked of the API server of each cluster, as EKS does."""
        for cluster in control_plane.known(self._clusters):
            folder = self._clusters / cluster.name
            try:
                if cluster.name not in self._api:
                    self._api[cluster.name] = ApiServer(folder / "kubeconfig")
                api = self._api[cluster.name]
                body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
                spec = {"token": token.strip(), "audiences": [_AUDIENCE]}
                answer = await api.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {**body, "spec": spec})
            except (Refused, OSError, *UNREACHABLE):
                continue
            status = answer["status"]
            if not status.get("authenticated"):
                continue
            _, _, namespace, account = status["user"]["username"].split(":")
            names = status["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [""])
            return Pod(cluster.name, namespace, account, names[0])
        return None


class Objects:
    """CloudFront's calls to S3 with origin access control: judged as the service, for the distribution that asks."""

    def __init__(self, judgement: Judgement, store: str, say: Callable[[str], None]) -> None:
        self._judgement, self._store, self._say = judgement, store, say
        self._client: ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, address: str, port: int) -> None:
        """Listen, for the edge only: on this machine and without TLS."""
        self._client = ClientSession(auto_decompress=False)
        app = web.Application()
        app.router.add_get("/{key:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
        if self._client:
            await self._client.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        bucket = request.host.partition(".s3")[0]
        distribution = request.headers.get("x-rehearsal-distribution", "")
        context = {
            "aws:SourceArn": distribution,
            "aws:SourceAccount": distribution.split(":")[4],
            "aws:SecureTransport": "true",
        }
        caller = Caller.service("cloudfront.amazonaws.com")
        try:
            self._judgement.need(
                caller, Need("s3:GetObject", f"arn:aws:s3:::{bucket}/{request.match_info['key']}"), context
            )
        except Denied as denied:
            self._say(f"edge: {denied}")
            return web.Response(
                status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="application/xml"
            )
        assert self._client is not None  # it is there while it listens  # noqa: S101
        kept = {name: value for name, value in request.headers.items() if name.lower() in ("range", "if-none-match")}
        signed = "AWS4-HMAC-SHA256 Credential=rehearsal/20260101/us-east-1/s3/aws4_request"
        headers = {**kept, "Host": request.host, "Authorization": signed, "x-trace": secrets.token_hex(4)}
        async with self._client.request(request.method, self._store + request.raw_path, headers=headers) as answer:
            shown = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "etag", "content-range")}
            return web.Response(status=answer.status, headers=shown, body=await answer.read())
