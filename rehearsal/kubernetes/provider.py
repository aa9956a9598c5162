"""How does the schema-level Kubernetes plugin answer the engine?

Objects are checked against the published schemas, replaced where a field cannot change, and kept in the world under the
server that the kubeconfig names. Nothing reconciles them; whoever needs that uses a real API server.
"""

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Literal

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from typing_extensions import override

from rehearsal import runner
from rehearsal.answers import Change, Checked, Differences, Failure, Object, Refused, Urn
from rehearsal.aws import api_server
from rehearsal.kubernetes import jobs, kinds
from rehearsal.plugin import Provider
from rehearsal.values import Path, Properties, Value, Values, at, spell, spread
from rehearsal.world import Row, World

_AUTONAMED = "pulumi.com/autonamed"
_UNREACHABLE = "configured Kubernetes cluster is unreachable"
_CLUSTER = "aws:eks/cluster:Cluster"


class Kubernetes(Provider):
    """One provider instance: one cluster, in the world of the stack it serves."""

    def __init__(self, version: str, engine: str = "") -> None:
        """`engine` is the address that warnings go to; without one they are not given."""
        super().__init__(version)
        self._engine = engine
        self._server, self._namespace, self._mutable = "", "default", frozenset[str]()

    @override
    def check_config(self, news: Values) -> Checked:
        return Checked(news)

    @override
    def diff_config(self, olds: Values, news: Values) -> Differences:
        changed = tuple(sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name)))
        replaces: tuple[str, ...] = ()
        same_identifier = news.get("clusterIdentifier") and "clusterIdentifier" not in changed
        if "clusterIdentifier" in changed and olds.get("clusterIdentifier") and news.get("clusterIdentifier"):
            replaces = ("clusterIdentifier",)
        elif not same_identifier and _server(olds) != _server(news):
            replaces = tuple(name for name in changed if name in {"kubeconfig", "context", "cluster"})
        return Differences(tuple(Change(name, "update", name in replaces) for name in changed), replaces, changed)

    @override
    def configure(self, urn: Urn | None, config: Values) -> None:
        self._server = _server(config)
        self._namespace = config.get("namespace") or "default"
        flags = {"enableConfigMapMutable": "ConfigMap", "enableSecretMutable": "Secret"}
        self._mutable = frozenset(kind for name, kind in flags.items() if str(config.get(name)).lower() == "true")

    @override
    def check(self, urn: Urn, olds: Values, news: Values, seed: bytes) -> Checked:
        if urn.token.startswith("kubernetes:helm.sh/"):
            return Checked(news, (Failure("", "a Helm release needs a real API server: KUBERNETES=real"),))
        kind = str(news.get("kind", ""))
        inputs = dict(news)
        if isinstance(news.get("metadata", {}), dict):
            inputs["metadata"] = self._metadata(urn, olds, news, seed)
        if _is_patch(urn):
            missing = not at(inputs, ("metadata", "name"))
            return Checked(
                inputs, (Failure("metadata.name", "required: it names the object to patch"),) if missing else ()
            )
        if kind.endswith("List") and "items" in news:
            return Checked(inputs, (Failure("kind", "a list cannot be created: use the types of its items"),))
        version = self._version(urn)
        for path in kinds.unknown_fields(inputs, version):
            self._warn(urn, f'unknown field "{path}": the API server drops it')
        return Checked(inputs, tuple(kinds.failures(inputs, version)))

    @override
    def diff(self, urn: Urn, id: str, old: Object, news: Values, ignored: list[str]) -> Differences:
        live = _pruned(old.outputs.values, old.inputs.values)
        replacing_fields = kinds.replacing(str(news.get("apiVersion")), str(news.get("kind")), self._mutable)
        if _is_patch(urn):
            replacing_fields = ("metadata.name", "metadata.namespace")
        changes = tuple(
            Change(spell(path), kind, any(_covers(field, spell(path)) for field in replacing_fields))
            for path, kind in _compare(live, news)
            if not any(_covers(one, spell(path)) for one in ignored)
        )
        replaces = tuple(change.path for change in changes if change.replaces)
        names = [at(one, ("metadata", name)) for one in (old.outputs.values, news) for name in ("name", "namespace")]
        same_name = names[:2] == names[2:] and at(news, ("metadata", "annotations", _AUTONAMED)) != "true"
        diffs = tuple(sorted({change.path.split(".")[0].split("[")[0] for change in changes}))
        return Differences(changes, replaces, diffs, delete_before_replace=bool(replaces) and same_name)

    @override
    def create(self, urn: Urn, inputs: Properties, preview: bool) -> Object:
        self._reach()
        if preview:
            return Object("", inputs, inputs)
        failed = jobs.failure(inputs.values, self._server, self.worlds.of())
        if failed is not None:
            raise Refused("JobFailed", failed)
        return self._put(urn, inputs, {})

    @override
    def read(self, urn: Urn, id: str, old: Object) -> Object | None:
        self._reach()
        row = self._world(urn).find(urn.token, self._server, id)
        if row is None:
            return None
        inputs = _pruned(row.outputs, row.inputs)
        return Object(id, Properties(inputs, row.secrets), Properties(row.outputs, row.secrets))

    @override
    def update(self, urn: Urn, old: Object, news: Properties, preview: bool) -> Object:
        self._reach()
        if preview:
            return Object(old.id, news, spread(old.outputs.values | news.values, news))
        return self._put(urn, news, old.outputs.values)

    @override
    def delete(self, urn: Urn, old: Object) -> None:
        self._reach()
        world = self._world(urn)
        with world.changing():
            row = world.find(urn.token, self._server, old.id)
            if row is not None:
                world.remove(row)

    @override
    def invoke(self, token: str, arguments: Values) -> Values:
        raise Refused("NotSupported", f"{token} needs the official provider: KUBERNETES=real")

    def _warn(self, urn: Urn, text: str) -> None:
        if self._engine:
            with grpc.insecure_channel(self._engine) as channel:
                request = engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=text, urn=urn.text)
                engine_pb2_grpc.EngineStub(channel).Log(request)

    def _metadata(self, urn: Urn, olds: Values, news: Values, seed: bytes) -> Values:
        """Metadata with a name (the old one, or a new one) and, for a built-in kind, a namespace."""
        metadata = dict(news.get("metadata") or {})
        old = at(olds, ("metadata",)) or {}
        if "name" not in metadata and "generateName" not in metadata and not _is_patch(urn):
            kept = at(old, ("annotations", _AUTONAMED)) == "true"
            metadata["name"] = old["name"] if kept else f"{urn.name}-{hashlib.sha256(seed).hexdigest()[:8]}"
            metadata["annotations"] = {**(metadata.get("annotations") or {}), _AUTONAMED: "true"}
        kind, api_version = str(news.get("kind")), str(news.get("apiVersion"))
        if "namespace" not in metadata and kinds.has_schema(api_version, kind, None) and kinds.is_namespaced(kind):
            metadata["namespace"] = self._namespace
        return metadata

    def _put(self, urn: Urn, inputs: Properties, olds: Values) -> Object:
        values = inputs.values
        metadata = dict(at(values, ("metadata",)) or {})
        before = at(olds, ("metadata",)) or {}
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata |= {
            "name": metadata.get("name") or f"{metadata.get('generateName', '')}{uuid.uuid4().hex[:5]}",
            "uid": before.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": before.get("creationTimestamp") or now,
            "generation": int(before.get("generation", 0)) + 1,
            "resourceVersion": str(int(before.get("resourceVersion", 100)) + 1),
        }
        id = "/".join(str(metadata[part]) for part in ("namespace", "name") if metadata.get(part))
        status = {"phase": "Active"} if values.get("kind") == "Namespace" else {}
        outputs = spread({"status": status} | values | {"metadata": metadata}, inputs)
        world = self._world(urn)
        row = Row(urn.token, self._server, id, urn.text, values, outputs.values, outputs.secrets)
        with world.changing():
            if not olds:
                world.withdraw(urn.text)
            world.put(row, reported=bool(olds))
        return Object(id, inputs, outputs)

    def _world(self, urn: Urn) -> World:
        """What this stack has in its clusters."""
        return self.worlds.of(f"{urn.project}/{urn.stack}")

    def _version(self, urn: Urn) -> str | None:
        """The version of the cluster that answers at this provider's server, where the world knows it."""
        cluster = self._cluster()
        return str(cluster.outputs.get("version")) if cluster else None

    def _cluster(self) -> Row | None:
        return next(iter(self.worlds.of().rows(_CLUSTER, endpoint=self._server)), None) if self._server else None

    def _reach(self) -> None:
        """Raises Refused when the cluster's API server does not answer where the deployer stands."""
        cluster = self._cluster()
        reason = api_server.refusal(cluster, runner.current(), self.worlds.of()) if cluster else None
        if reason is not None:
            asked = f'Get "{self._server}/openapi/v2?timeout=32s"'
            raise Refused(_UNREACHABLE, f"unable to load schema information from the API server: {asked}: {reason}")


def _server(config: Values) -> str:
    """The address of the API server that a kubeconfig leads to; the kubeconfig itself where it does not say."""
    text = config.get("kubeconfig")
    if not isinstance(text, str):
        return ""
    try:
        parsed = json.loads(text)
    except ValueError:
        import yaml  # noqa: PLC0415 - the emulated clusters' kubeconfigs are JSON

        try:
            parsed = yaml.safe_load(text)
        except yaml.YAMLError:
            parsed = None
    if not isinstance(parsed, dict):
        return text
    context = config.get("context") or parsed.get("current-context")
    contexts = {
        one.get("name"): one.get("context", {}) for one in parsed.get("contexts") or () if isinstance(one, dict)
    }
    cluster = config.get("cluster") or contexts.get(context, {}).get("cluster")
    servers = {one.get("name"): one.get("cluster", {}) for one in parsed.get("clusters") or () if isinstance(one, dict)}
    return str(servers.get(cluster, {}).get("server", ""))


def _is_patch(urn: Urn) -> bool:
    return urn.token.endswith("Patch")


def _pruned(live: Value, shape: Value) -> Value:
    """The live object without what only the cluster writes: what the inputs do not mention."""
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: _pruned(live[key], item) for key, item in shape.items() if key in live}
    if isinstance(live, list) and isinstance(shape, list) and len(live) == len(shape):
        return [_pruned(one, item) for one, item in zip(live, shape, strict=True)]
    return live


def _compare(old: Value, new: Value, path: Path = ()) -> Iterator[tuple[Path, Literal["add", "delete", "update"]]]:
    if isinstance(old, list) and isinstance(new, list):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                yield (*path, key), "delete"
            elif key not in old:
                yield (*path, key), "add"
            else:
                yield from _compare(old[key], new[key], (*path, key))
    elif old != new:
        yield path, "update"


def _covers(field: str, path: str) -> bool:
    """Whether a change at `path` touches `field`: it lies at, below or around it."""
    return path == field or path.startswith((f"{field}.", f"{field}[")) or field.startswith((f"{path}.", f"{path}["))
