"""Which rules does the API server check itself? Writes admission.yaml as ValidatingAdmissionPolicy objects.

One file per rule in admission/: a Kubernetes List of the policy and its binding, which `kubectl apply -f` takes.
"""

import argparse
import json
import re
import sys
from typing import Any

from pack import catalogue, files

PREFIX = "tecnocursos-"
_MATCHED = {
    "pods": [
        {"apiGroups": [""], "resources": ["pods"]},
        {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"]},
    ],
    "services": [{"apiGroups": [""], "resources": ["services"]}],
}
_VARIABLES = [
    {
        "name": "pod",
        "expression": "object.kind == 'Pod' ? object.spec : object.kind == 'CronJob'"
        " ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec",
    },
    {
        "name": "containers",
        "expression": "variables.pod.containers + variables.pod.?initContainers.orValue([])",
    },
]


def objects() -> dict[str, dict[str, Any]]:
    """Rule -> the List of its policy and binding."""
    described = files.read(catalogue.ROOT / "admission.yaml")
    rules = catalogue.load()
    result = {}
    for name, expressions in described["rules"].items():
        ((matched, expression),) = expressions.items()
        result[name] = {
            "apiVersion": "v1",
            "kind": "List",
            "items": [_policy(rules[name], matched, expression), _binding(name, described["namespaces"])],
        }
    return result


def _policy(rule: catalogue.Rule, matched: str, expression: str) -> dict[str, Any]:
    patterns = rule.options.get("registries", {}).get("default", [])
    allowed = "|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in patterns)
    text = expression.replace("@registries", f"^({allowed})$".replace("\\", "\\\\"))
    text = re.sub(r"\b(?<!\.)(pod|containers)(?=\.)", r"variables.\1", text)
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": PREFIX + rule.name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {**found, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]} for found in _MATCHED[matched]
                ]
            },
            "variables": _VARIABLES if matched == "pods" else [],
            "validations": [{"expression": text, "message": f"{rule.name}: {rule.what} {rule.remedy}"}],
        },
    }


def _binding(name: str, namespaces: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": PREFIX + name},
        "spec": {
            "policyName": PREFIX + name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": namespaces}},
        },
    }


def main() -> int:
    """Write the files, remove those of rules that are gone; with --check exit code 1 when they would change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, say whether the files are up to date")
    options = parser.parse_args()
    folder = catalogue.ROOT / "admission"
    wanted = {folder / f"{name}.json": json.dumps(made, indent=1) + "\n" for name, made in objects().items()}
    present = {path: path.read_text() for path in folder.glob("*.json")}
    if options.check:
        return 0 if wanted == present else 1
    folder.mkdir(exist_ok=True)
    for path in present.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    print(f"{len(wanted)} policies in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
