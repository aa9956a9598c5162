"""How does the emulated AWS provider answer the engine?"""

from typing_extensions import override

from rehearsal.answers import Change, Checked, Differences, Object, Refused, Urn
from rehearsal.aws import context as configuration
from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.identity import Dice, Names, shapes
from rehearsal.aws.library import Library
from rehearsal.plugin import Provider
from rehearsal.values import UNKNOWN, Properties, Value, Values, spread
from rehearsal.world import Row, Worlds


class Aws(Provider):
    """One provider instance: an account and a region over the world of the stack it serves."""

    def __init__(self, version: str, library: Library) -> None:
        self.version = version
        self._library = library
        self._context = Context("us-east-1")
        self._worlds = Worlds()

    @override
    def check_config(self, news: Values) -> Checked:
        return configuration.check(news)

    @override
    def diff_config(self, olds: Values, news: Values) -> Differences:
        changed = tuple(sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name)))
        return Differences(tuple(Change(name, "update") for name in changed), (), changed)

    @override
    def configure(self, urn: Urn | None, config: Values) -> None:
        self._context = configuration.of(config)

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
        here = self._context.at(inputs.values.get("region"))
        if preview:
            return Object("", inputs, spread(self._outputs(urn, inputs.values, None, here), inputs))
        world = self._worlds.of(urn)
        with world.changing():
            dice = Dice(f"{urn.text}#{world.birth(urn.text)}")
            names = Names(urn.token, inputs.values, here, dice, shapes().get(urn.token, {}))
            outputs = spread(self._outputs(urn, inputs.values, names, here), inputs)
            row = Row(urn.token, here.region, names.the_id(), urn.text, inputs.values, outputs.values, outputs.secrets)
            world.put(row)
        return Object(row.id, inputs, outputs)

    @override
    def read(self, urn: Urn, id: str, old: Object) -> Object | None:
        here = self._context.at(_region(old))
        row = self._worlds.of(urn).find(urn.token, here.region, id)
        if row is None:
            return None
        return Object(id, Properties(row.inputs, row.secrets), Properties(row.outputs, row.secrets))

    @override
    def update(self, urn: Urn, old: Object, news: Properties, preview: bool) -> Object:
        here = self._context.at(news.values.get("region"))
        if preview:
            return Object(old.id, news, spread(old.outputs.values | news.values, news))
        world = self._worlds.of(urn)
        with world.changing():
            row = world.find(urn.token, here.region, old.id)
            if row is None:
                raise Refused("ResourceNotFoundException", f"{old.id} does not exist in the rehearsal's world")
            outputs = spread(row.outputs | news.values, news)
            world.put(Row(urn.token, here.region, old.id, urn.text, news.values, outputs.values, outputs.secrets))
        return Object(old.id, news, outputs)

    @override
    def delete(self, urn: Urn, old: Object) -> None:
        here = self._context.at(_region(old))
        world = self._worlds.of(urn)
        with world.changing():
            row = world.find(urn.token, here.region, old.id)
            if row is not None:
                world.remove(row)

    @override
    def invoke(self, token: str, arguments: Values) -> Values:
        raise Refused("UnknownFunction", f"the rehearsal does not answer {token}")

    def _outputs(self, urn: Urn, inputs: Values, names: Names | None, here: Context) -> Values:
        resource = self._library.schemas.get(urn.token)
        outputs = {name: value for name, value in inputs.items() if not name.startswith("__")}
        computed = [name for name in resource.outputs if name not in outputs] if resource else []
        for name in computed:
            if name == "tagsAll":
                tags = inputs.get("tags", {})
                outputs[name] = UNKNOWN if tags is UNKNOWN else dict(here.default_tags) | tags
            elif name == "region":
                outputs[name] = here.region
            elif resource and (name not in resource.inputs or resource.inputs[name].computed):
                outputs[name] = UNKNOWN if names is None else names.render(names.shape.get(name, ""))
        if names is not None and "arn" in outputs:
            outputs["arn"] = names.the_arn()
        return outputs


def _region(old: Object) -> Value:
    return old.inputs.values.get("region") or old.outputs.values.get("region")
