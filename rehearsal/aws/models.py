"""What do AWS's own models say about an input: the API's service model, the CloudFormation schema?

Read only when the facts file is made; neither package is loaded by a plugin.
"""

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

Model = dict[str, Any]

_CODES = {
    "ec2": "InvalidParameterValue",
    "rds": "InvalidParameterValue",
    "elasticache": "InvalidParameterValue",
    "elbv2": "ValidationError",
    "elb": "ValidationError",
    "iam": "ValidationError",
    "autoscaling": "ValidationError",
    "cloudwatch": "ValidationError",
    "sqs": "InvalidAttributeValue",
    "sns": "InvalidParameter",
    "s3": "InvalidArgument",
    "cloudfront": "InvalidArgument",
    "route53": "InvalidInput",
    "redshift": "InvalidParameterValue",
}
"""The error that a service answers to a value outside its model, where its model does not name one itself."""

_PREFERRED = (
    "ValidationException",
    "InvalidParameterValueException",
    "InvalidParameterException",
    "InvalidRequestException",
    "BadRequestException",
    "InvalidArgumentException",
    "InvalidInputException",
    "WAFInvalidParameterException",
)


@functools.cache
def _service(name: str) -> Model:
    model: Model = Loader().load_service_model(name, "service-2")
    return model


def member(service: str, operation: str, path: str) -> Model | None:
    """The shape of a member such as `Auth[].AuthScheme`; for `x[]` the list itself under `list`."""
    model = _service(service)
    shapes = model["shapes"]
    request = model["operations"].get(operation, {}).get("input")
    if request is None:
        return None
    shape: Model = shapes[request["shape"]]
    outer: Model | None = None
    for step in path.split("."):
        name = step.removesuffix("[]")
        if name not in shape.get("members", {}):
            return None
        shape, outer = shapes[shape["members"][name]["shape"]], None
        if step.endswith("[]"):
            if shape["type"] != "list":
                return None
            outer, shape = shape, shapes[shape["member"]["shape"]]
    return {**shape, "list": outer} if outer else shape


def refusal_code(service: str, operation: str) -> str:
    """The error code for a value that the service's model does not allow."""
    errors = [error["shape"] for error in _service(service)["operations"].get(operation, {}).get("errors", ())]
    named = [code for code in _PREFERRED if code in errors]
    return _CODES.get(service) or (named[0] if named else "ValidationException")


@functools.cache
def _cloudformation() -> dict[str, Model]:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint is not installed: run `make setup-dev`")
    folder = Path(spec.origin).parent / "data" / "schemas" / "resources"
    schemas = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {schema["typeName"]: schema for schema in schemas}


def create_only(cfn_type: str) -> frozenset[str]:
    """Pointers of the properties that CloudFormation can only set at creation."""
    return frozenset(_cloudformation().get(cfn_type, {}).get("createOnlyProperties", ()))
