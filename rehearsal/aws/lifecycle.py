"""How does an object of the account come, change and go?"""

from collections.abc import Callable
from dataclasses import replace

from rehearsal.answers import Object, Refused, Urn
from rehearsal.aws import behind, outputs
from rehearsal.aws.account import judge
from rehearsal.aws.account.request import Request
from rehearsal.aws.check import refused_at_up
from rehearsal.aws.computed import Making, extra
from rehearsal.aws.context import Context, is_region
from rehearsal.aws.identity import Dice, Names, is_committed, shape_of
from rehearsal.aws.inventory import Inventory
from rehearsal.aws.library import Library
from rehearsal.values import Properties, Value, Values, spread
from rehearsal.world import Row, World


class Lifecycle:
    """Objects of an account and region in one world; a change holds the world from first look to last write."""

    def __init__(self, library: Library, context: Context, world: World) -> None:
        self._library, self._context, self._world = library, context, world

    def plan(self, urn: Urn, inputs: Properties) -> Object:
        """What an object that is yet to be created will be."""
        here, resource = self._here(inputs), self._library.schemas.get(urn.token)
        planned = outputs.planned(resource, inputs.values, shape_of(urn.token, resource), here)
        return Object("", inputs, spread(planned, inputs))

    def create(self, urn: Urn, inputs: Properties) -> Object:
        """Create an object. Raises Refused when AWS would refuse it."""
        self._refuse_inputs(urn, inputs.values)
        given = behind.create(urn.token, inputs.values, self._called, self._here(inputs))
        with self._world.changing():
            self._world.withdraw(urn.text)
            self._refuse(judge.change, urn, inputs, None)
            seed = f"{urn.text}#{self._world.birth(urn.text)}"
            made = self._make(urn, inputs, seed, None, given)
            self._put(urn, made, seed, reported=False)
        return made

    def read(self, urn: Urn, id: str, old: Object) -> Object | None:
        """The object as the world holds it; `old` is what the engine knows of it, if anything."""
        row = self._find(urn, id, old)
        return None if row is None else Object(id, Properties(row.inputs, row.secrets), _outputs(row))

    def plan_update(self, urn: Urn, old: Object, news: Properties) -> Object:
        """What an object will be after an update."""
        resource = self._library.schemas.get(urn.token)
        shape = shape_of(urn.token, resource)
        planned = outputs.planned_update(resource, old.outputs.values, news.values, shape, self._here(news))
        return Object(old.id, news, spread(planned, news))

    def update(self, urn: Urn, old: Object, news: Properties) -> Object:
        """Change an object in place. Raises Refused when AWS would refuse that, or when the object is gone."""
        self._refuse_inputs(urn, news.values)
        with self._world.changing():
            row = self._find(urn, old.id, old)
            if row is None:
                message = f"{old.id} is not in the world any more: `pulumi refresh` takes it out of the state"
                raise Refused("ResourceNotFoundException", message)
            self._refuse(judge.change, urn, news, row)
            made = self._make(urn, news, row.seed, row, behind.outputs(row))
            self._put(urn, made, row.seed, reported=True)
        return made

    def delete(self, urn: Urn, old: Object) -> None:
        """Delete an object; nothing happens when it is gone already. Raises Refused when AWS would refuse it."""
        with self._world.changing():
            row = self._find(urn, old.id, old)
            if row is not None:
                self._refuse(judge.deletion, urn, Properties(row.inputs), row)
                self._world.remove(row)
                behind.delete(row, self._world)

    def _refuse_inputs(self, urn: Urn, inputs: Values) -> None:
        region = inputs.get("region")
        if isinstance(region, str) and not is_region(region):
            raise Refused("InvalidRegion", "not the name of an AWS region, such as us-east-1", "region")
        for refused in refused_at_up(self._library, urn.token, inputs):
            raise refused

    def _refuse(
        self, judged: Callable[[Request], Refused | None], urn: Urn, inputs: Properties, row: Row | None
    ) -> None:
        here = self._here(inputs)
        refused = judged(Request(urn.token, inputs.values, here, Inventory(self._world, here), row))
        if refused is not None:
            raise refused

    def _make(self, urn: Urn, inputs: Properties, seed: str, before: Row | None, given: Values) -> Object:
        resource = self._library.schemas.get(urn.token)
        names = Names(urn.token, inputs.values, self._here(inputs), Dice(seed), shape_of(urn.token, resource))
        names.id = before.id if before else None
        olds = before.outputs if before else {}
        names = replace(names, shape={**names.shape, **extra(Making(names, olds, self._called)), **given})
        if before is None and self._is_taken(urn.token, names):
            names = replace(names, id=f"{names.the_id()}-{names.dice.hex(6, 'another')}")
        made = spread(outputs.made(resource, self._library.schemas, names, olds), inputs)
        return Object(names.the_id(), inputs, made)

    def _is_taken(self, token: str, names: Names) -> bool:
        """Whether the id, of a type whose shape is a guess, belongs to another object already."""
        guessed = not is_committed(token)
        return guessed and self._world.find(token, names.context.region, names.the_id()) is not None

    def _put(self, urn: Urn, made: Object, seed: str, *, reported: bool) -> None:
        region = self._here(made.inputs).region
        secrets = made.outputs.secrets
        row = Row(urn.token, region, made.id, urn.text, made.inputs.values, made.outputs.values, secrets, seed)
        self._world.put(row, reported=reported)

    def _find(self, urn: Urn, id: str, old: Object) -> Row | None:
        region = old.inputs.values.get("region") or old.outputs.values.get("region")
        return self._world.find(urn.token, self._context.at(region).region, id)

    def _called(self, name: Value) -> Row | None:
        """The object with this id or ARN, the one of this region where several regions have one."""
        here = Inventory(self._world, self._context)
        rows = here.called(name) if isinstance(name, str) and name else []
        return next((row for row in rows if row.region == self._context.region), rows[0] if rows else None)

    def _here(self, inputs: Properties) -> Context:
        return self._context.at(inputs.values.get("region"))


def _outputs(row: Row) -> Properties:
    return Properties(row.outputs, row.secrets)
