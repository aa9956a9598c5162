"""How does the emulated AWS provider answer the engine?"""

from typing_extensions import override

from rehearsal.answers import Change, Checked, Differences, Object, Urn
from rehearsal.aws import context as configuration
from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.functions import Question, answer
from rehearsal.aws.inventory import Inventory
from rehearsal.aws.library import Library
from rehearsal.aws.lifecycle import Lifecycle
from rehearsal.plugin import Provider
from rehearsal.values import Properties, Values
from rehearsal.world import World


class Aws(Provider):
    """One provider instance: an account, and the region where it acts."""

    def __init__(self, version: str, library: Library) -> None:
        super().__init__(version)
        self._library = library
        self._context = Context("us-east-1")
        self._urn: Urn | None = None

    @override
    def check_config(self, news: Values) -> Checked:
        return configuration.check(news)

    @override
    def diff_config(self, olds: Values, news: Values) -> Differences:
        changed = tuple(sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name)))
        replaces = ("region",) if "region" in changed and olds.get("region") else ()
        return Differences(tuple(Change(name, "update", name in replaces) for name in changed), replaces, changed)

    @override
    def configure(self, urn: Urn | None, config: Values) -> None:
        self._context, self._urn = configuration.of(config), urn

    @override
    def check(self, urn: Urn, olds: Values, news: Values, seed: bytes) -> Checked:
        return check(self._library, urn.token, news, olds=olds, name=urn.name, random_seed=seed, context=self._context)

    @override
    def diff(self, urn: Urn, id: str, old: Object, news: Values, ignored: list[str]) -> Differences:
        return diff(
            self._library,
            urn.token,
            old_inputs=old.inputs.values,
            old_outputs=old.outputs.values,
            news=news,
            context=self._context,
            name=urn.name,
            ignore_changes=ignored,
        )

    @override
    def create(self, urn: Urn, inputs: Properties, preview: bool) -> Object:
        lifecycle = self._lifecycle(urn)
        return lifecycle.plan(urn, inputs) if preview else lifecycle.create(urn, inputs)

    @override
    def read(self, urn: Urn, id: str, old: Object) -> Object | None:
        return self._lifecycle(urn).read(urn, id, old)

    @override
    def update(self, urn: Urn, old: Object, news: Properties, preview: bool) -> Object:
        lifecycle = self._lifecycle(urn)
        return lifecycle.plan_update(urn, old, news) if preview else lifecycle.update(urn, old, news)

    @override
    def delete(self, urn: Urn, old: Object) -> None:
        self._lifecycle(urn).delete(urn, old)

    @override
    def invoke(self, token: str, arguments: Values) -> Values:
        world = self._world(self._urn) if self._urn is not None else None
        here = self._context.at(arguments.get("region"))
        return answer(token, Question(arguments, here, Inventory(world, here) if world is not None else None))

    def _lifecycle(self, urn: Urn) -> Lifecycle:
        return Lifecycle(self._library, self._context, self._world(urn))

    def _world(self, urn: Urn) -> World:
        """The account's objects. A program that names no account gets one for each of its stacks."""
        named = self._context.account != configuration.ACCOUNT
        return self.worlds.of(self._context.account if named else f"{urn.project}/{urn.stack}")
