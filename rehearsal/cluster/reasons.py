"""Why do a cluster's objects not come up? Container states, conditions and Warning events, one line per cause."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cluster.api import Api

Row = Mapping[str, Any]

COLLECTIONS = {
    "Pod": "/api/v1/pods",
    "ReplicaSet": "/apis/apps/v1/replicasets",
    "Deployment": "/apis/apps/v1/deployments",
    "Job": "/apis/batch/v1/jobs",
    "CronJob": "/apis/batch/v1/cronjobs",
    "Event": "/api/v1/events?fieldSelector=type%3DWarning",
}
# The class of `reason: message`, as the kubelet, the scheduler and the controllers write them: the first match.
CLASSES = (
    ("quota", r"exceeded quota"),
    ("admission", r"^FailedCreate: .*(forbidden|denied|violates)"),
    ("image", r"^(ImagePullBackOff|ErrImage\w*|InvalidImageName|Failed: .*\b[Ii]mage)\b"),
    ("probe", r"^Unhealthy\b"),
    ("unschedulable", r"^(Unschedulable|FailedScheduling)\b"),
    ("configuration", r"^CreateContainer\w*Error\b"),
    ("crash", r"^(CrashLoopBackOff|RunContainerError|BackOff: .*restarting)\b"),
    ("failed", r"^(Error|OOMKilled|Failed|BackoffLimitExceeded|PodFailurePolicy)\b"),
    ("late", r"^(DeadlineExceeded|ProgressDeadlineExceeded)\b"),
)
NAMELESS = "late"  # says that it took too long, not why: left out where something else says why
LONGEST = 400


@dataclass(frozen=True, order=True)
class Reason:
    """about: kind/name of the workload that people know (not of its pod); kind: a class of CLASSES."""

    namespace: str
    about: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.namespace} {self.about}: {self.kind}: {self.message}"


def ask(server: Api) -> list[Reason]:
    """The reasons in one cluster. Raises ApiError, or OSError when the API server does not answer."""
    return find({kind: server.call("GET", path)["items"] for kind, path in COLLECTIONS.items()})


def find(objects: Mapping[str, Sequence[Row]]) -> list[Reason]:
    """The reasons in the objects, by kind; what is healthy now is silent, whatever happened to it before."""
    owners = _Owners(objects)
    found: dict[tuple[str, str, str], str] = {}
    for row, reason, message in _evidence(objects):
        kind = next((name for name, pattern in CLASSES if re.search(pattern, f"{reason}: {message}")), None)
        owner = owners.top(row) if kind else None
        if kind and owner and not _healthy(owner):
            text = " ".join(message.split())[:LONGEST] or reason
            told = text if text.startswith(reason) or kind in ("quota", "admission") else f"{reason}: {text}"
            key = owner["metadata"]["namespace"], f"{owner['kind']}/{owner['metadata']['name']}", kind
            found.setdefault(key, told)
    explained = {(namespace, about) for namespace, about, kind in found if kind != NAMELESS}
    return sorted(
        Reason(namespace, about, kind, message)
        for (namespace, about, kind), message in found.items()
        if kind != NAMELESS or (namespace, about) not in explained
    )


def _evidence(objects: Mapping[str, Sequence[Row]]) -> Iterator[tuple[Row, str, str]]:
    """(object or what an event is about, reason, message), the most telling first."""
    for pod in objects.get("Pod", ()):
        status = pod.get("status", {})
        yield from _conditions(pod, "PodScheduled", "False")
        for container in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
            for told in container.get("state", {}).values():
                if told.get("exitCode") or "waiting" in container["state"]:
                    code = f"exit code {told['exitCode']}: " if "exitCode" in told else ""
                    yield pod, told.get("reason", ""), f"{code}{told.get('message', '')}".removesuffix(": ")
    for row in objects.get("ReplicaSet", ()):
        yield from _conditions(row, "ReplicaFailure", "True")
    for event in sorted(objects.get("Event", ()), key=_time, reverse=True):
        yield event, event.get("reason", ""), event.get("message", "")
    for pod in objects.get("Pod", ()):
        if any("running" in c["state"] and not c["ready"] for c in pod.get("status", {}).get("containerStatuses", ())):
            yield pod, "Unhealthy", "the container runs and is not ready"
    for row in objects.get("Job", ()):
        yield from _conditions(row, "Failed", "True")
    for row in objects.get("Deployment", ()):
        yield from _conditions(row, "Progressing", "False")


def _conditions(row: Row, kind: str, status: str) -> Iterator[tuple[Row, str, str]]:
    for told in row.get("status", {}).get("conditions", ()):
        if (told["type"], told["status"]) == (kind, status):
            yield row, told.get("reason", ""), told.get("message", "")


def _time(event: Row) -> str:
    series = event.get("series") or {}
    return str(event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or "")


class _Owners:
    """Which workload does an object belong to, also a pod that is gone and of which only events speak?"""

    def __init__(self, objects: Mapping[str, Sequence[Row]]) -> None:
        self._rows: dict[str, Row] = {
            row["metadata"]["uid"]: {**row, "kind": kind}
            for kind, rows in objects.items()
            if kind != "Event"
            for row in rows
        }

    def top(self, row: Row) -> Row | None:
        """The uppermost owner that is there; None when nothing is left, or when it is on its way out."""
        about = row.get("involvedObject") or row["metadata"]
        found = self._rows.get(about.get("uid", "")) or self._creator(about)
        while found and not _leaving(found):
            owners = found["metadata"].get("ownerReferences", ())
            above = next((self._rows.get(owner["uid"]) for owner in owners if owner.get("controller")), None)
            if above is None:
                return found
            found = above
        return None

    def _creator(self, about: Row) -> Row | None:
        """Pods are named after what made them: its name, a hyphen and five letters."""
        made_by = str(about.get("name", "")).rpartition("-")[0]
        places = (made_by, about.get("namespace"))
        return next(
            (
                row
                for row in self._rows.values()
                if row["kind"] in ("ReplicaSet", "Job")
                and (row["metadata"]["name"], row["metadata"]["namespace"]) == places
            ),
            None,
        )


def _leaving(row: Row) -> bool:
    """Whether it is being deleted, or is the ReplicaSet of an earlier version."""
    return "deletionTimestamp" in row["metadata"] or (
        row["kind"] == "ReplicaSet" and not row["spec"].get("replicas", 1)
    )


def _healthy(row: Row) -> bool:
    status = row.get("status", {})
    if row["kind"] == "Deployment":
        seen = status.get("observedGeneration", 0) >= row["metadata"].get("generation", 0)
        wanted = row["spec"].get("replicas", 1)
        return bool(seen and status.get("updatedReplicas", 0) == status.get("readyReplicas", 0) == wanted)
    if row["kind"] == "Job":
        return any((told["type"], told["status"]) == ("Complete", "True") for told in status.get("conditions", ()))
    if row["kind"] == "CronJob":
        return bool(status.get("lastSuccessfulTime", "") >= status.get("lastScheduleTime", "9"))
    return bool(row["kind"] == "Pod" and status.get("phase") == "Succeeded")
