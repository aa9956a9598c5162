"""What does one module of the AWS SDK declare? Read from its source: importing it would cost seconds."""

import ast
import importlib.metadata
import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REQUIRED, COMPUTED = 1, 2


@dataclass
class Module:
    """Rows of one module: [name, type, flags] for each property of each resource and nested class."""

    resources: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Declared:
    """One property as the source declares it."""

    name: str
    type: Any
    optional: bool


def version() -> str:
    """The version of the installed SDK."""
    return importlib.metadata.version("pulumi-aws")


def folder() -> Path:
    """Where the SDK's source lies."""
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pulumi_aws is not installed: run `make setup`")
    return Path(spec.origin).parent


def read(package: Path, directory: Path) -> Module:
    """All resources and nested classes that the files of `directory` declare."""
    module = directory.relative_to(package).as_posix().strip(".")
    inputs: dict[str, list[Declared]] = {}
    outputs: dict[str, list[Declared]] = {}
    resources: list[ast.ClassDef] = []
    for path in sorted(directory.glob("*.py")):
        if path.name.startswith(("get_", "_enums", "_utilities", "__init__")):
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            decorators = {ast.unparse(one) for one in node.decorator_list}
            if "pulumi.input_type" in decorators:
                inputs[node.name] = _declared(node, module)
            elif "pulumi.output_type" in decorators:
                outputs[node.name] = _declared(node, module)
            elif any(ast.unparse(base) in {"pulumi.CustomResource", "pulumi.ProviderResource"} for base in node.bases):
                resources.append(node)
    result = Module()
    for name, fields in inputs.items():
        result.classes[f"{module}.{name}"] = _rows(fields, outputs.get(name.removesuffix("Args"), []))
    for name, fields in outputs.items():
        result.classes[f"{module}.outputs.{name}"] = [[one.name, one.type, 0] for one in fields]
    for node in resources:
        got = _declared(node, module)
        token, secrets = _token(node)
        # The generator says InitArgs where a nested class already has the plain name.
        args = next(name for name in (f"{node.name}InitArgs", f"{node.name}Args") if name in inputs)
        result.resources[token] = {
            "inputs": _rows(inputs[args], got),
            "outputs": [[one.name, one.type, 0] for one in got],
            "secrets": secrets,
            "example": _example(node, token),
        }
        del result.classes[f"{module}.{args}"]
    return result


def _rows(fields: list[Declared], got: list[Declared]) -> list[list[Any]]:
    """Inputs with their flags: what is optional going in and always there coming out, the provider computes."""
    always = {one.name for one in got if not one.optional}
    return [
        [
            one.name,
            one.type,
            (0 if one.optional else REQUIRED) | (COMPUTED if one.optional and one.name in always else 0),
        ]
        for one in fields
    ]


def _declared(node: ast.ClassDef, module: str) -> list[Declared]:
    return [
        Declared(_wire_name(one), _type(one.returns, module), _optional(one.returns))
        for one in node.body
        if isinstance(one, ast.FunctionDef) and one.returns is not None and _is_getter(one)
    ]


def _getter(function: ast.FunctionDef) -> ast.expr | None:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and called.attr == "getter":
            return decorator
    return None


def _is_getter(function: ast.FunctionDef) -> bool:
    return _getter(function) is not None


def _wire_name(function: ast.FunctionDef) -> str:
    """The name on the wire: the getter's `name`, else the Python name."""
    decorator = _getter(function)
    if isinstance(decorator, ast.Call):
        for keyword in decorator.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return function.name


def _unwrap(node: ast.expr | None) -> ast.expr | None:
    """The type inside pulumi.Input[...] and pulumi.Output[...]."""
    while isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        if node.value.attr not in {"Input", "Output"}:
            break
        node = node.slice
    return node


def _optional(node: ast.expr | None) -> bool:
    node = _unwrap(node)
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Optional"


_PLAIN = {
    "str": "string",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "Any": "any",
    "Asset": "asset",
    "Archive": "asset",
}


def _type(node: ast.expr | None, module: str) -> Any:
    """`node` as the schema file spells it: a kind, or [kind, element or class]."""
    node = _unwrap(node)
    if isinstance(node, ast.Constant):
        return _class(str(node.value), module)
    if isinstance(node, ast.Attribute | ast.Name):
        return _PLAIN[node.attr if isinstance(node, ast.Attribute) else node.id]
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        name, inner = node.value.id, node.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if name == "Optional":
            return _type(inner, module)
        if name == "Sequence":
            return ["list", _type(inner, module)]
        if name == "Mapping":
            return ["map", _type(parts[1], module)]
        if name == "Union":
            return _union([_type(part, module) for part in parts])
    raise ValueError(
        f"pulumi_aws.{module}: a type that this reader does not know: {ast.unparse(node) if node else None}"
    )


def _class(name: str, module: str) -> Any:
    name = name.removesuffix("Dict") if name.endswith("ArgsDict") else name
    if name.startswith("_"):  # `_iam.PolicyStatementArgs`: another module of the SDK
        return ["object", name.removeprefix("_")]
    if name.endswith("Args") or name.startswith("outputs."):
        return ["object", f"{module}.{name}"]
    return "string"  # the classes of _enums.py: open lists of text, their values are facts


def _union(members: list[Any]) -> Any:
    unique = [one for at, one in enumerate(members) if one not in members[:at]]
    if len(unique) == 1:
        return unique[0]
    if len(unique) == 2 and unique[0] == "string" and unique[1][0] == "object":
        return ["json", unique[1][1]]
    return "any"


def _example(node: ast.ClassDef, token: str) -> str | None:
    """The id in the documentation's `$ pulumi import TOKEN NAME ID`."""
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            found = re.search(rf"\$ pulumi import {re.escape(token)} \S+ (.+)", ast.get_docstring(one) or "")
            if found:
                return found[1].strip().strip("'\"")
    return None


def _token(node: ast.ClassDef) -> tuple[str, list[str]]:
    """The type token that the resource registers with, and its additional secret outputs."""
    token, secrets = "", []
    for one in ast.walk(node):
        if not isinstance(one, ast.Call):
            continue
        if isinstance(one.func, ast.Attribute) and one.func.attr == "__init__" and one.args:
            first = one.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                token = first.value if ":" in first.value else f"pulumi:providers:{first.value}"
        for keyword in one.keywords:
            if keyword.arg == "additional_secret_outputs":
                secrets = ast.literal_eval(keyword.value)
    return token, secrets
