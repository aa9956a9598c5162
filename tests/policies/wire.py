"""How does the engine drive a policy pack? The same process, the same messages, no engine."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
LEVELS = {"advisory": analyzer_pb2.ADVISORY, "mandatory": analyzer_pb2.MANDATORY, "disabled": analyzer_pb2.DISABLED}


def urn(type_: str, name: str, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::tecnocursos::{type_}::{name}"


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    result = struct_pb2.Struct()
    result.update(values)
    return result


def analyze_request(resource: Mapping[str, Any]) -> analyzer_pb2.AnalyzeRequest:
    """What the engine asks about a row of a golden graph."""
    return analyzer_pb2.AnalyzeRequest(
        type=resource["type"],
        urn=resource["urn"],
        name=resource["urn"].rpartition("::")[2],
        properties=struct(resource.get("inputs", {})),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=resource.get("protect", False)),
        provider=analyzer_pb2.AnalyzerProviderResource(properties=struct(resource.get("providerInputs", {}))),
    )


class Pack:
    """One pack process, as `python -u -m pulumi.policy ENGINE FOLDER` (what pulumi-language-python runs)."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            _, errors = self.process.communicate(timeout=30)
            raise RuntimeError(f"the pack did not start: {line}{errors}")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{int(line)}")
        self.stub = analyzer_pb2_grpc.AnalyzerStub(self.channel)

    def stop(self) -> None:
        self.channel.close()
        self.process.terminate()
        self.process.communicate(timeout=30)

    def info(self) -> analyzer_pb2.AnalyzerInfo:
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure_stack(self, *, preview: bool, stack: str = "dev") -> None:
        self.stub.ConfigureStack(
            analyzer_pb2.AnalyzerStackConfigureRequest(stack=stack, project="tecnocursos", dry_run=preview)
        )

    def configure(self, policy_json: Mapping[str, Any]) -> None:
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, given in policy_json.items():
            options = dict(given)
            request.policyConfig[name].enforcementLevel = LEVELS[options.pop("enforcementLevel")]
            request.policyConfig[name].properties.update(options)
        self.stub.Configure(request)

    def analyze(self, resource: Mapping[str, Any]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        return list(self.stub.Analyze(analyze_request(resource)).diagnostics)

    def analyze_stack(self, resources: Iterable[Mapping[str, Any]]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        request = analyzer_pb2.AnalyzeStackRequest()
        for resource in resources:
            row = request.resources.add(
                type=resource["type"],
                urn=resource["urn"],
                properties=struct(resource.get("inputs", {})),
                dependencies=resource.get("dependencies", []),
                options=analyzer_pb2.AnalyzerResourceOptions(
                    protect=resource.get("protect", False), ignoreChanges=resource.get("ignoreChanges", [])
                ),
            )
            for name, links in resource.get("propertyDependencies", {}).items():
                row.propertyDependencies[name].urns.extend(links)
        return list(self.stub.AnalyzeStack(request).diagnostics)
