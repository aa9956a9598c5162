"""Does a condition of a statement hold for a request? Every operator of IAM, with its qualifiers.

IAM user guide, "condition operators" and "multivalued context keys". A key that is not in the request fails a test and
passes its negation; `IfExists` passes both; `ForAllValues` passes with nothing to look at, `ForAnyValue` never does.
"""

import datetime as dt
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

from rehearsal.aws.authorization.matching import ARN_FIELDS, Context, arn_fields, arn_like, like, resolved, same

Test = Callable[[str, str, Context | None], bool]  # wanted, actual, values of variables
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConditionError(ValueError):
    """A condition that cannot be judged: says which part and what to write instead."""


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not found.is_finite():
        raise ValueError(text)
    return found


def _date(text: str) -> Decimal:
    """ISO 8601 or seconds since 1970, as seconds; without a zone it is UTC."""
    try:
        return _number(text)
    except ValueError:
        found = dt.datetime.fromisoformat(text)
        return Decimal((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=False)


def _inside(wanted: str, actual: str, _: Context | None) -> bool:
    network, address = _network(wanted), ipaddress.ip_address(actual)
    return address.version == network.version and address in network


def _whole_arn(text: str) -> str:
    if len(arn_fields(text)) != ARN_FIELDS:
        raise ValueError(text)
    return text


def _ordered(read: Callable[[str], Decimal]) -> dict[str, Test]:
    return {
        "Equals": lambda wanted, actual, _: read(actual) == read(wanted),
        "LessThan": lambda wanted, actual, _: read(actual) < read(wanted),
        "LessThanEquals": lambda wanted, actual, _: read(actual) <= read(wanted),
        "GreaterThan": lambda wanted, actual, _: read(actual) > read(wanted),
        "GreaterThanEquals": lambda wanted, actual, _: read(actual) >= read(wanted),
    }


_TESTS: dict[str, Test] = {
    "StringEquals": lambda wanted, actual, known: same(wanted, actual, context=known),
    "StringEqualsIgnoreCase": lambda wanted, actual, known: same(wanted, actual, context=known, any_case=True),
    "StringLike": lambda wanted, actual, known: like(wanted, actual, context=known),
    "ArnEquals": lambda wanted, actual, known: arn_like(wanted, actual, context=known),  # the two are the same to AWS
    "ArnLike": lambda wanted, actual, known: arn_like(wanted, actual, context=known),
    "Bool": lambda wanted, actual, _: wanted.lower() == actual.lower(),
    "BinaryEquals": lambda wanted, actual, _: wanted == actual,
    "IpAddress": _inside,
    **{f"Numeric{name}": test for name, test in _ordered(_number).items()},
    **{f"Date{name}": test for name, test in _ordered(_date).items()},
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
OPERATORS = (*_TESTS, *_NEGATIONS, "Null")
_QUALIFIERS = ("ForAllValues", "ForAnyValue")
_READERS: dict[str, Callable[[str], object]] = {
    "Numeric": _number,
    "Date": _date,
    "IpAddress": _network,
    "Arn": _whole_arn,
}


@dataclass(frozen=True)
class Condition:
    """One key tested by one operator: any of the values will do, or none may when the operator negates."""

    operator: str  # without qualifier and IfExists
    qualifier: str  # ForAllValues, ForAnyValue or nothing
    if_exists: bool
    key: str  # in lower case
    values: tuple[str, ...]

    @classmethod
    def of(cls, operator: str, key: str, values: tuple[str, ...]) -> Self:
        """Read an operator as policies write it. Raises ConditionError for what IAM does not know."""
        qualifier, _, rest = operator.rpartition(":")
        name = rest.removesuffix("IfExists")
        if name not in OPERATORS or (qualifier and qualifier not in _QUALIFIERS):
            raise ConditionError(f"unknown condition operator {operator!r}")
        if name == "Null" and (rest != name or qualifier):
            raise ConditionError("Null tests itself whether a key exists: write it without IfExists and qualifier")
        base = _NEGATIONS.get(name, name)
        for begin, read in _READERS.items():
            if base.startswith(begin):
                for value in values:
                    _readable(read, operator, key, value)
        if base in ("Bool", "Null") and not {value.lower() for value in values} <= {"true", "false"}:
            raise ConditionError(f"{operator} {key}: the value must be true or false")
        return cls(name, qualifier, rest != name, key.lower(), values)

    def holds(self, context: Context, *, variables: bool) -> bool:
        """Whether it holds; `variables`: are they filled. Raises ConditionError when AWS leaves the answer open."""
        actual = context.get(self.key)
        present = () if actual is None else (actual,) if isinstance(actual, str) else actual
        if self.operator == "Null":
            return any((not present) == (value.lower() == "true") for value in self.values)
        known = context if variables else None
        if self.qualifier == "ForAllValues":
            return all(self._one(value, known) for value in present)
        if self.qualifier == "ForAnyValue":
            return any(self._one(value, known) for value in present)
        if not present:
            return self.if_exists or self.operator in _NEGATIONS
        if len(present) > 1:
            raise ConditionError(
                f"{self.operator} {self.key}: the key holds {len(present)} values and AWS does not say which is "
                "compared: write ForAnyValue or ForAllValues"
            )
        return self._one(present[0], known)

    def _one(self, actual: str, known: Context | None) -> bool:
        test = _TESTS[_NEGATIONS.get(self.operator, self.operator)]
        try:
            found = any(test(wanted, actual, known) for wanted in self.values)
        except ValueError:  # what the request carries is no number, date or address
            return False
        if self.operator not in _NEGATIONS:
            return found
        return not found and (known is None or all(resolved(wanted, known) for wanted in self.values))

    def __str__(self) -> str:
        """As a policy writes it."""
        qualifier = f"{self.qualifier}:" if self.qualifier else ""
        return f"{qualifier}{self.operator}{'IfExists' if self.if_exists else ''} {self.key} {' or '.join(self.values)}"


def _readable(read: Callable[[str], object], operator: str, key: str, value: str) -> None:
    try:
        read(value)
    except ValueError:
        raise ConditionError(f"{operator} {key}: {value!r} cannot be compared by this operator") from None
