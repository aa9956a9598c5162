"""What does a used account say to an environment? Its committed graph, created once more without the engine."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.answers import Refused, Urn
from rehearsal.aws import context
from rehearsal.aws.library import Library
from rehearsal.aws.lifecycle import Lifecycle
from rehearsal.kubernetes.provider import Kubernetes
from rehearsal.values import Properties
from rehearsal.world import World

Row = Mapping[str, Any]


class Replay:
    """A cloud in the folder that REHEARSAL_WORLD names; objects get the ids that the engine's run gave them."""

    def __init__(self, library: Library, rows: Sequence[Row]) -> None:
        self._library, self._rows = library, {row["urn"]: row for row in rows}
        self._providers = {row["name"]: row for row in rows if row["type"].startswith("pulumi:providers:")}
        self._made: set[str] = set()
        self.cloud = World(Path(os.environ["REHEARSAL_WORLD"]))

    def everything(self) -> Iterator[str]:
        """Create all of it in an order that the dependencies allow: what is refused, and why."""
        for urn in self._rows:
            yield from self.create(urn)

    def create(self, urn: str) -> Iterator[str]:
        """Create a resource after what it needs, and nothing else: what is refused, and why."""
        if urn in self._made:
            return
        self._made.add(urn)
        row = self._rows[urn]
        for needed in self._needs(row):
            yield from self.create(needed)
        try:
            self._create(row)
        except Refused as refused:
            yield f"{row['type']} {row['name']}: {refused}"

    def _create(self, row: Row) -> None:
        urn, inputs = Urn.parse(row["urn"]), Properties(dict(row["inputs"]))
        config = dict(self._providers[row["provider"]]["inputs"]) if row["provider"] else {}
        if row["type"].startswith("aws:"):
            here = context.of(config)
            Lifecycle(self._library, here, World(self.cloud.file.parent, here.account)).create(urn, inputs)
        elif row["type"].startswith("kubernetes:"):
            provider = Kubernetes("4.25.0")
            provider.configure(None, config)
            provider.create(urn, inputs, preview=False)

    def _needs(self, row: Row) -> list[str]:
        """What a resource comes after: its parent, its provider and its dependencies."""
        by_property = [urn for urns in row["propertyDependencies"].values() for urn in urns]
        provider = [self._providers[row["provider"]]["urn"]] if row["provider"] else []
        return [urn for urn in dict.fromkeys([row["parent"], *provider, *row["dependencies"], *by_property]) if urn]
