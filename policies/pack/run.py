"""What does one run over a stack come to? Rules applied with their settings, exemptions kept account of."""

import datetime
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pack.catalogue import Rule
from pack.evaluate import ERROR, EXEMPT, UNDECIDED, VIOLATION, Setting, Verdict, judge
from pack.exemptions import Exemption
from pack.resource import Resource, Stack

EXEMPTIONS = "exemptions-current"  # the name under which stale exemptions are reported


class Run:
    """Feed it every resource, then the stack. Safe to call from several threads; `stack` starts a new account.

    `preview`: values may be unknown, so a rule may leave a resource undecided; otherwise that is a violation.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule],
        settings: Mapping[str, Setting],
        exemptions: Sequence[Exemption],
        *,
        preview: bool,
        today: datetime.date,
    ) -> None:
        self._settings = settings
        self._exemptions = tuple(exemptions)
        self._preview = preview
        self._today = today
        active = [rule for rule in rules.values() if settings[rule.name].level != "disabled"]
        self._stack_rules = [rule for rule in active if rule.of_stack]
        self._resource_rules = [rule for rule in active if not rule.of_stack]
        self._by_type: dict[str, list[Rule]] = {}
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._used: set[Exemption] = set()
        self._waiting: list[Verdict] = []
        self._seen: dict[str, Resource] = {}

    def resource(self, resource: Resource) -> list[Verdict]:
        """The verdicts of all resource rules that apply; undecided ones are kept for `stack`."""
        with self._lock:
            self._seen[resource.urn] = resource
            if resource.type not in self._by_type:
                self._by_type[resource.type] = [rule for rule in self._resource_rules if rule.applies(resource.type)]
            rules = self._by_type[resource.type]
        return [verdict for rule in rules for verdict in self._judge(rule, resource, None)]

    def stack(self, stack: Stack) -> list[Verdict]:
        """The verdicts of the stack rules, what stayed undecided in the whole run, and stale exemptions.

        The engine shows outputs here, which a preview may lack altogether; the rules look at the inputs seen before.
        """
        stack = Stack(tuple(self._with_inputs(resource) for resource in stack.resources))
        verdicts = [
            v
            for rule in self._stack_rules
            for resource in stack.of(*rule.types)
            for v in self._judge(rule, resource, stack)
        ]
        with self._lock:
            verdicts += [*self._undecided(), *self._stale(stack)]
            self._reset()
        return verdicts

    def _with_inputs(self, resource: Resource) -> Resource:
        seen = self._seen.get(resource.urn)
        return replace(resource, outputs=resource.properties, properties=seen.properties) if seen else resource

    def _judge(self, rule: Rule, resource: Resource, stack: Stack | None) -> Iterator[Verdict]:
        for verdict in judge(rule, resource, stack, self._settings[rule.name].options):
            if verdict.kind == UNDECIDED and self._preview:
                with self._lock:
                    self._waiting.append(verdict)
            elif verdict.kind == ERROR:
                yield verdict
            else:
                yield self._exempted(verdict)

    def _exempted(self, verdict: Verdict) -> Verdict:
        for exemption in self._exemptions:
            if exemption.expires >= self._today and exemption.covers(verdict.rule, verdict.urn, verdict.path):
                with self._lock:
                    self._used.add(exemption)
                return Verdict(EXEMPT, verdict.rule, verdict.urn, verdict.path, verdict.message, exemption)
        return Verdict(VIOLATION, verdict.rule, verdict.urn, verdict.path, verdict.message)

    def _undecided(self) -> Iterator[Verdict]:
        """One verdict for each rule that waits for values, naming the resources; on the resource when it is one."""
        waiting: dict[str, dict[str, set[str]]] = {}
        for verdict in self._waiting:
            waiting.setdefault(verdict.rule, {}).setdefault(verdict.urn, set()).add(verdict.path)
        for rule, places in waiting.items():
            named = ", ".join(
                f"{urn.rpartition('::')[2]} ({', '.join(sorted(paths))})" for urn, paths in sorted(places.items())
            )
            message = f"values that only exist after creation: {named}"
            yield Verdict(UNDECIDED, rule, next(iter(places)) if len(places) == 1 else "", "", message)

    def _stale(self, stack: Stack) -> Iterator[Verdict]:
        """Exemptions that have expired, or that no finding of this run needed.

        One is not called unused while a resource it matches was not looked at (a targeted run) or a rule waits for it.
        """
        urns = {"::".join(resource.urn.split("::")[:2]): resource.urn for resource in stack.resources}
        for exemption in self._exemptions:
            if not any(map(exemption.concerns, urns.values())):
                continue
            place = f"exemption of {exemption.rule} on {exemption.urn}"
            if exemption.expires < self._today:
                message = f"{place} expired on {exemption.expires}: mend the resource or renew the decision"
                yield Verdict(VIOLATION, EXEMPTIONS, "", exemption.rule, message)
            elif exemption not in self._used and not self._open(exemption, stack):
                message = f"{place} is not needed: nothing it covers breaks the rule; remove it"
                yield Verdict(VIOLATION, EXEMPTIONS, "", exemption.rule, message)

    def _open(self, exemption: Exemption, stack: Stack) -> bool:
        waiting = any(v.rule == exemption.rule and (not v.urn or exemption.matches(v.urn)) for v in self._waiting)
        return waiting or any(exemption.matches(r.urn) and r.urn not in self._seen for r in stack.resources)
