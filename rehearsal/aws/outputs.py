"""Which outputs does an object have: what was asked for, what AWS gives it, and something plausible for the rest?"""

import re
from collections.abc import Iterator, Mapping

from rehearsal.aws.context import Context
from rehearsal.aws.identity import Names
from rehearsal.aws.schema import Property, Resource, Schemas, Type
from rehearsal.values import UNKNOWN, Value, Values, at

_NAMED_LIKE = (
    (r"(?i)arns?$", "arn:{partition}:{service}:{region}:{account}:{kind}/{hex:12}"),
    (r"(?i)(owner|account|registry|customer)(id)?$", "{account}"),
    (r"(?i)region$", "{region}"),
    (r"(time|date|Time|Date|At|Timestamp)$", "{now}"),
    (r"(?i)ur[il]$", "https://{hex:10}.{service}.{region}.{suffix}"),
    (r"(?i)(dns|domain|host)name$|endpoint$|address$|fqdn$", "{hex:12}.{service}.{region}.{suffix}"),
    (r"^(status|state)$", "ACTIVE"),
    (r"(?i)etag$", "{hex:32}"),
    (r"(?i)version$", "1"),
    (r"Id$", "{hex:17}"),
)
_REVISED = {"aws:ec2/launchTemplate:LaunchTemplate": ("latestVersion",)}
"""Outputs that every update changes, so that a preview of one cannot know them."""


def planned(resource: Resource | None, inputs: Values, shape: Mapping[str, Value], here: Context) -> Values:
    """The outputs of an object that is yet to be created: what AWS will give it is unknown."""
    outputs = _asked_for(inputs)
    for name in _given(resource, outputs, shape):
        outputs[name] = UNKNOWN
    for path in _inner(shape):
        _fill(outputs, path, UNKNOWN)
    return outputs | _settled(resource, inputs, here)


def planned_update(
    resource: Resource | None, olds: Values, inputs: Values, shape: Mapping[str, Value], here: Context
) -> Values:
    """The outputs that an object will have after an update, as far as they can be known."""
    outputs = _asked_for(inputs)
    for name in _given(resource, outputs, shape):
        if name in olds:
            outputs[name] = olds[name]
    for path in _inner(shape):  # what AWS gave into a block of the program stays when the block changes
        kept = at(olds, tuple(path))
        _fill(outputs, path, UNKNOWN if kept is None else kept)
    if resource is not None:
        outputs |= dict.fromkeys(_REVISED.get(resource.token, ()), UNKNOWN)
    return outputs | _settled(resource, inputs, here)


def made(resource: Resource | None, schemas: Schemas, names: Names, olds: Values) -> Values:
    """The outputs of an object that exists; `olds` are those it had before an update.

    What AWS gave it once stays, unless the type's shapes say how it follows from the inputs.
    """
    outputs = _asked_for(names.inputs)
    for name in _given(resource, outputs, names.shape):
        if name in names.shape and not (name in olds and "{now}" in str(names.shape[name])):
            outputs[name] = names.render(names.shape[name])
        elif name in olds:
            outputs[name] = olds[name]
        elif resource is not None:
            known = resource.outputs[name]
            outputs[name] = _plausible(known, schemas, names, invent=name not in resource.inputs)
    for path in _inner(names.shape):
        _fill(outputs, path, names.render(names.shape[".".join(path)]))
    if resource is not None and "arn" in resource.outputs:
        outputs["arn"] = names.the_arn()
    return outputs | _settled(resource, names.inputs, names.context)


def _asked_for(inputs: Values) -> Values:
    return {name: value for name, value in inputs.items() if not name.startswith("__")}


def _given(resource: Resource | None, outputs: Values, shape: Mapping[str, Value]) -> list[str]:
    """Outputs that AWS fills in: those that are no inputs, and those inputs that it completes."""
    if resource is None:
        return []
    inputs = {name: known for name, known in resource.inputs.items() if not known.computed and name not in shape}
    return [name for name in resource.outputs if name not in outputs and name not in inputs]


def _settled(resource: Resource | None, inputs: Values, here: Context) -> Values:
    """Outputs known before anything is created: the region, and the tags with the provider's own."""
    outputs: Values = {}
    if resource is not None and "tagsAll" in resource.outputs:
        tags = inputs.get("tags")
        own = tags if isinstance(tags, dict) else {}
        outputs["tagsAll"] = UNKNOWN if tags is UNKNOWN else dict(here.default_tags) | own
    if resource is not None and "region" in resource.outputs:
        outputs["region"] = inputs.get("region") or here.region
    return outputs


def _inner(shape: Mapping[str, Value]) -> Iterator[list[str]]:
    return (name.split(".") for name in shape if "." in name)


def _fill(value: Value, path: list[str], given: Value) -> None:
    """Put what AWS gives into a block of the program (each block of a list) that left it out."""
    if isinstance(value, list):
        for item in value:
            _fill(item, path, given)
    elif isinstance(value, dict) and len(path) > 1:
        inner = value.get(path[0])
        if isinstance(inner, dict | list):  # not into the program's own value
            value[path[0]] = _copied(inner)
            _fill(value[path[0]], path[1:], given)
    elif isinstance(value, dict) and value.get(path[0]) in (None, ""):
        value[path[0]] = given


def _copied(block: Value) -> Value:
    blocks = block if isinstance(block, list) else [block]
    copies = [dict(one) if isinstance(one, dict) else one for one in blocks]
    return copies if isinstance(block, list) else copies[0]


def _plausible(known: Property, schemas: Schemas, names: Names, *, invent: bool) -> Value:
    return _of_type(known.name, known.type, schemas, names, invent=invent)


def _of_type(name: str, kind: Type, schemas: Schemas, names: Names, *, invent: bool) -> Value:
    match kind.kind:
        case "bool":
            return False
        case "int" | "float":
            return 1 if name.lower().endswith("version") else 0
        case "list":
            return []
        case "map":
            return {}
        case "object" if kind.cls is not None:
            fields = schemas.fields(kind.cls).values()
            return {field.name: _plausible(field, schemas, names, invent=invent) for field in fields}
        case _:
            shapes = (shape for pattern, shape in _NAMED_LIKE if re.search(pattern, name))
            named = next(shapes, "") if invent else ""
            return names.render(named.replace(":17}", f":17:{name}}}"))
