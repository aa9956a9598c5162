"""Does an expression parse, and does it name only metrics, labels and values that exist?

`problems(expression)` answers with sentences, none when all is well; `labels(expression)` with the result's labels.
Grafana's variables are understood: as a range (`[$__rate_interval]`) and as a label's value (`{pod=~"$pod"}`).
"""

import re
from collections.abc import Iterator, Mapping

import promql_parser as promql

from dashboards.metrics import Series, known

RATES = {"rate", "irate", "increase", "resets"}
SETS = {"and", "unless"}
VARIABLE = re.compile(r"\$\{?\w+(?::\w+)?\}?")
RANGE = re.compile(r"(?<=[\[:])\$\{?\w+\}?(?=[\]:])")
ANY_RANGE = "5m"

Names = frozenset[str]


class UnknownError(ValueError):
    """An expression that does not parse, or names what does not exist; one argument for each problem."""


def problems(expression: str, series: Mapping[str, Series] | None = None) -> list[str]:
    """What is wrong with the expression, one sentence for each; nothing when all is well."""
    try:
        labels(expression, series)
    except UnknownError as error:
        return list(error.args)
    return []


def labels(expression: str, series: Mapping[str, Series] | None = None) -> Names:
    """The labels that the result may carry; UnknownError with everything that is wrong."""
    walk = _Walk(known() if series is None else series)
    result = walk.labels(parse(expression))
    if walk.found:
        raise UnknownError(*walk.found)
    return result


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Every selector in the expression, in its order; UnknownError when it does not parse."""
    return list(_selectors(parse(expression)))


def parse(expression: str) -> promql.Expr:
    """The syntax tree, with an arbitrary duration where a range is a variable; UnknownError when it does not parse."""
    try:
        return promql.parse(RANGE.sub(ANY_RANGE, expression))
    except ValueError as error:
        raise UnknownError(f"does not parse: {str(error).splitlines()[0]}: {expression}") from error


def _children(node: promql.Expr) -> list[promql.Expr]:
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.Call():
            return list(node.args)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
        case promql.MatrixSelector():
            return [node.vector_selector]
    return []


def _selectors(node: promql.Expr) -> Iterator[promql.VectorSelector]:
    if isinstance(node, promql.VectorSelector):
        yield node
    for child in _children(node):
        yield from _selectors(child)


class _Walk:
    """The labels of every node of one expression, from the leaves up; problems are collected on the way."""

    def __init__(self, series: Mapping[str, Series]) -> None:
        self.series, self.found = series, list[str]()

    def labels(self, node: promql.Expr) -> Names:
        match node:
            case promql.VectorSelector():
                return self.selector(node)
            case promql.AggregateExpr():
                return self.aggregate(node)
            case promql.Call():
                return self.call(node)
            case promql.BinaryExpr():
                return self.binary(node)
        return frozenset().union(*(self.labels(child) for child in _children(node)))

    def selector(self, node: promql.VectorSelector) -> Names:
        series = self.series.get(node.name or "")
        if series is None:
            self.found.append(f"{node.name or node.prettify()}: no such metric in the catalogue or in sources.yaml")
            return frozenset()
        if node.matchers.or_matchers:
            self.found.append(f"{node.name}: Prometheus knows no 'or' between matchers")
        for matcher in node.matchers.matchers:
            self.matcher(series, matcher)
        return frozenset(series.labels)

    def matcher(self, series: Series, matcher: promql.Matcher) -> None:
        if matcher.name not in series.labels:
            self.found.append(f"{series.name}: no label {matcher.name!r}; it has {', '.join(sorted(series.labels))}")
            return
        values = series.labels[matcher.name]
        if values is None or not matcher.value or VARIABLE.search(matcher.value):
            return
        if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
            wrong = [] if matcher.value in values else [matcher.value]
        else:  # each alternative must match something, so that a misspelt one is seen
            wrong = [part for part in matcher.value.split("|") if not any(re.fullmatch(part, v) for v in values)]
        for value in wrong:
            self.found.append(f"{series.name}: {matcher.name} is never {value!r}, but {', '.join(values)}")

    def aggregate(self, node: promql.AggregateExpr) -> Names:
        inner = self.labels(node.expr)
        op = str(node.op)
        if node.modifier is None:
            return inner if op in {"topk", "bottomk", "limitk"} else frozenset()
        named = frozenset(node.modifier.labels)
        self.present(named, inner, op)
        if op in {"topk", "bottomk", "limitk"}:
            return inner
        return named if node.modifier.type == promql.AggModifierType.By else inner - named

    def call(self, node: promql.Call) -> Names:
        name = node.func.name
        inner = frozenset().union(*(self.labels(argument) for argument in node.args))
        if name in RATES:
            for selector in _selectors(node):
                series = self.series.get(selector.name or "")
                if series is not None and not series.counts:
                    self.found.append(f"{series.name}: {name}() of a gauge")
        if name == "histogram_quantile":
            self.present(frozenset({"le"}), inner, name)
            return inner - {"le"}
        if name == "label_replace" and isinstance(node.args[1], promql.StringLiteral):
            return inner | {node.args[1].val}
        return frozenset() if name in {"absent", "absent_over_time", "scalar", "vector", "time"} else inner

    def binary(self, node: promql.BinaryExpr) -> Names:
        left, right, op, modifier = self.labels(node.lhs), self.labels(node.rhs), str(node.op), node.modifier
        on, ignored = None, frozenset[str]()
        if modifier is not None and modifier.matching is not None:
            named = frozenset(modifier.matching.labels)
            if modifier.matching.type == promql.LabelModifierType.Include:
                self.present(named, left & right, op)
                on = named
            else:
                self.present(named, left | right, op)
                ignored = named
        if op in SETS:
            return left
        if op == "or":
            return left | right
        extra = frozenset(modifier.group_labels or ()) if modifier is not None else frozenset[str]()
        if modifier is not None and modifier.card == promql.VectorMatchCardinality.ManyToOne:
            self.present(extra, right, op)
            return left | extra
        if modifier is not None and modifier.card == promql.VectorMatchCardinality.OneToMany:
            self.present(extra, left, op)
            return right | extra
        return (left | right) - ignored if on is None else on

    def present(self, wanted: Names, there: Names, where: str) -> None:
        for name in sorted(wanted - there):
            self.found.append(
                f"{where}: no label {name!r} at this place; there are {', '.join(sorted(there)) or 'none'}"
            )
