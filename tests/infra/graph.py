"""What may a test ask of an environment's graph?"""

import json
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


class Graph:
    """Resources of one environment and what each property of theirs depends on."""

    def __init__(self, environment: str, rows: list[Row]) -> None:
        self.environment, self.rows = environment, rows
        self._by_urn = {row["urn"]: row for row in rows}

    @property
    def account(self) -> str:
        """The number of the account that the environment is deployed into."""
        (provider,) = self.of_type("providers:aws")
        (account,) = json.loads(provider["inputs"]["allowedAccountIds"])
        return str(account)

    def of_type(self, kind: str) -> list[Row]:
        """Rows whose type ends in this, such as `Subnet` or `vpc/securityGroupIngressRule`."""
        return [row for row in self.rows if row["type"].endswith(f":{kind}") or f":{kind}:" in row["type"]]

    def named(self, name: str, kind: str) -> Row:
        """The one row of a type and name."""
        (row,) = [row for row in self.of_type(kind) if row["name"] == name]
        return row

    def behind(self, row: Row, prop: str) -> Iterator[Row]:
        """The resources that a property is made from."""
        for urn in row["propertyDependencies"].get(prop, ()):
            yield self._by_urn[urn]

    def names_behind(self, row: Row, prop: str) -> set[str]:
        return {other["name"] for other in self.behind(row, prop)}
