"""What does a person read after a run? One HTML page that is complete in itself: no script, no outside resource."""

from collections.abc import Sequence
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from delivery import verdict as verdicts
from delivery.cost import Estimate
from delivery.model import Change, Outcome, Property, label, short_type

SHOWN_PROPERTIES = 12


def render(
    outcome: Outcome,
    estimate: Estimate,
    drawing: str = "",
    shallow: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
) -> str:
    """The page. drawing: an SVG; shallow: resource types and why they were checked less than the others."""
    template = _environment().get_template("report.html.j2")
    return template.render(
        run=outcome.run,
        outcome=outcome,
        counts=outcome.counts,
        verdict=verdicts.verdict(outcome),
        tally=verdicts.tally(outcome.changes),
        components=by_component(outcome.changes),
        estimate=estimate,
        drawing=drawing,
        shallow=shallow,
        notes=notes,
    )


def by_component(changes: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    """Changes under the component they belong to, gravest component first, the stack's own last."""
    groups = [
        (name, list(group))
        for name, group in groupby(sorted(changes, key=lambda one: one.component), key=lambda one: one.component)
    ]
    return sorted(
        groups, key=lambda group: (group[0] == "", min((not one.loses, one.op.gravity) for one in group[1]), group[0])
    )


def money(amount: float) -> str:
    """Whole dollars with thousands apart; cents below ten."""
    return f"${amount:,.2f}" if abs(amount) < 10 and amount % 1 else f"${amount:,.0f}"


def signed(amount: float) -> str:
    """A difference in dollars with its sign; a dash for none."""
    if abs(amount) < 0.005:
        return "-"
    return ("+" if amount > 0 else "-") + money(abs(amount))


def _properties(properties: Sequence[Property]) -> Markup:
    shown = [
        Markup('<code class="{}">{}</code>').format("forces" if one.replaces else "", one.path)
        for one in properties[:SHOWN_PROPERTIES]
    ]
    more = len(properties) - len(shown)
    return Markup(" ").join([*shown, *([escape(f"and {more} more")] if more > 0 else [])])


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("delivery"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"short": short_type, "money": money, "signed": signed, "label": label}
    environment.globals |= {"label": label, "properties": _properties, "tallied": verdicts.tally}
    return environment
