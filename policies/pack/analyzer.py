"""How does the pack speak with the engine? The Analyzer protocol (pulumi/proto/pulumi/analyzer.proto).

The protocol is served directly: the Python policy SDK decodes a resource once per rule (9 ms for a Deployment against
75 rules), gives all findings of a rule one level, so that neither an exemption nor an undecided finding can be told
from a violation, and turns every exception into the end of the preview.
"""

import datetime
import sys
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from pack import catalogue, exemptions, settings
from pack.evaluate import ERROR, EXEMPT, UNDECIDED, Verdict
from pack.resource import Resource, Stack
from pack.run import EXEMPTIONS, Run
from pack.values import properties

NAME = "tecnocursos"
_MESSAGE_BYTES = 400 * 1024 * 1024  # what the engine's own limit is
_LEVELS = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
}
_NAMES = {number: name for name, number in _LEVELS.items()} | {analyzer_pb2.REMEDIATE: "mandatory"}
_SEVERITIES = dict(zip(catalogue.SEVERITIES, analyzer_pb2.PolicySeverity.values()[1:], strict=True))


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """One pack process: configured once by the engine, then asked about every resource and finally about the stack."""

    def __init__(self) -> None:
        self._rules = catalogue.load()
        self._settings = settings.defaults(self._rules)
        self._exemptions = exemptions.read(catalogue.ROOT / "exemptions.yaml", self._rules)
        self._preview = True
        self._run = self._new_run()

    def _new_run(self) -> Run:
        today = datetime.datetime.now(datetime.UTC).date()
        return Run(self._rules, self._settings, self._exemptions, preview=self._preview, today=today)

    def GetAnalyzerInfo(self, request: Any, context: Any) -> analyzer_pb2.AnalyzerInfo:  # noqa: N802
        """Name, default level, severity, options and help of every rule."""
        info = analyzer_pb2.AnalyzerInfo(name=NAME, version="1.0.0", supportsConfig=True)
        for rule in self._rules.values():
            policy = info.policies.add(
                name=rule.name,
                description=rule.what,
                enforcementLevel=_LEVELS[self._settings[rule.name].level],
                policy_type=analyzer_pb2.POLICY_TYPE_STACK if rule.of_stack else analyzer_pb2.POLICY_TYPE_RESOURCE,
                severity=_SEVERITIES[rule.severity],
                tags=rule.controls,
                remediation_steps=rule.remedy,
                url=rule.link,
            )
            if rule.options:
                policy.configSchema.properties.update(rule.options)
        info.policies.add(
            name=EXEMPTIONS,
            description="Exemptions are needed and have not expired.",
            enforcementLevel=analyzer_pb2.MANDATORY,
            policy_type=analyzer_pb2.POLICY_TYPE_STACK,
            severity=_SEVERITIES["high"],
        )
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        """The pack has no version of its own besides PulumiPolicy.yaml."""
        return plugin_pb2.PluginInfo(version="1.0.0")

    def ConfigureStack(self, request: Any, context: Any) -> analyzer_pb2.AnalyzerStackConfigureResponse:  # noqa: N802
        """Learn whether this is a preview."""
        self._preview = request.dry_run
        self._run = self._new_run()
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Configure(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Take levels and options; unlike the engine, refuse a rule or option that does not exist."""
        given = {
            name: {"enforcementLevel": _NAMES[config.enforcementLevel], **properties(config.properties)}
            for name, config in request.policyConfig.items()
            if name != EXEMPTIONS
        }
        try:
            self._settings = settings.merged(self._rules, given)
        except ValueError as wrong:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(wrong))
        self._run = self._new_run()
        return empty_pb2.Empty()

    def Analyze(self, request: Any, context: Any) -> analyzer_pb2.AnalyzeResponse:  # noqa: N802
        """Judge one resource by its checked inputs."""
        return self._response(self._run.resource(_resource(request, request.options.parent)))

    def AnalyzeStack(self, request: Any, context: Any) -> analyzer_pb2.AnalyzeResponse:  # noqa: N802
        """Judge the stack by its outputs and links."""
        stack = Stack(tuple(_resource(resource, resource.parent) for resource in request.resources))
        return self._response(self._run.stack(stack))

    def Remediate(self, request: Any, context: Any) -> analyzer_pb2.RemediateResponse:  # noqa: N802
        """The pack never changes a resource."""
        return analyzer_pb2.RemediateResponse()

    def _response(self, verdicts: list[Verdict]) -> analyzer_pb2.AnalyzeResponse:
        return analyzer_pb2.AnalyzeResponse(diagnostics=[self._diagnostic(verdict) for verdict in verdicts])

    def _diagnostic(self, verdict: Verdict) -> analyzer_pb2.AnalyzeDiagnostic:
        rule = self._rules.get(verdict.rule)
        level = self._settings[verdict.rule].level if rule else "mandatory"
        if verdict.kind in (EXEMPT, UNDECIDED):
            level = "advisory"
        elif verdict.kind == ERROR:
            level = "mandatory"
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=verdict.rule,
            policyPackName=NAME,
            policyPackVersion="1.0.0",
            description=rule.what if rule else "",
            message=_message(verdict, rule),
            enforcementLevel=_LEVELS[level],
            severity=_SEVERITIES[rule.severity if rule else "high"],
            urn=verdict.urn,
        )


def _message(verdict: Verdict, rule: catalogue.Rule | None) -> str:
    if verdict.exemption:
        accepted = verdict.exemption
        return f"EXEMPT until {accepted.expires} ({accepted.decision}, {accepted.owner}): {verdict.message}: " + (
            accepted.reason
        )
    if verdict.kind == UNDECIDED:
        return f"UNDECIDED until the update runs: {verdict.message}"
    if verdict.kind == ERROR:
        return f"RULE ERROR: {verdict.message}"
    return f"{verdict.message}. {rule.remedy}" if rule else verdict.message


def _resource(request: Any, parent: str) -> Resource:
    return Resource(
        urn=request.urn,
        type=request.type,
        properties=properties(request.properties),
        protect=request.options.protect,
        ignore_changes=tuple(request.options.ignoreChanges),
        parent=parent,
        provider=properties(request.provider.properties),
        dependencies=tuple(getattr(request, "dependencies", ())),
        property_dependencies={
            name: tuple(links.urns) for name, links in getattr(request, "propertyDependencies", {}).items()
        },
    )


def serve() -> None:
    """Print the port (the first and only line on stdout) and answer the engine until it ends the process."""
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
