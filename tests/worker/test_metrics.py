"""Is everything emitted that the catalogue says workers emit?"""

from datetime import timedelta
from typing import get_args

import pytest

from service.ai.base import Operation, Outcome
from service.data.columns import now
from service.render.errors import ProviderError, RenderError
from service.render.espeak import Espeak
from service.telemetry.metrics import Metrics, definitions
from service.worker.meter import ServiceMeter
from tests.worker.conftest import change
from tests.worker.test_attempt import Voice, attempt, fails, spoken


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_row_of_the_workers_is_emitted(parts, ask):
    await ask()
    await (await attempt(spoken(parts, Voice(fails(ProviderError("down"))), Espeak()))).run()
    broken = await ask()
    await (await attempt(spoken(parts, Voice(fails(RenderError("broken"))), Espeak()))).run()
    await change(parts.database, broken, lease_until=now() - timedelta(seconds=1))
    meter = ServiceMeter(parts.metrics)
    for outcome in get_args(Outcome):
        for operation in get_args(Operation):
            meter.request("openai", operation, outcome, 0.5)
    meter.tokens("openai", "input", 5)
    meter.tokens("openai", "output", 5)
    meter.characters("azure", 5)
    meter.cost("did", 0.5)
    meter.breaker("openai", True)
    families = [*parts.metrics.registry.collect()]
    emitted = {
        sample.name for family in families for sample in family.samples if sample.value or family.type != "counter"
    }
    expected = {row["name"] for row in definitions() if row.get("by") == "worker"}
    assert {name for name in expected if name not in emitted and f"{name}_count" not in emitted} == set()


def test_the_catalogue_names_every_outcome_of_a_call():
    rows = {row["name"]: row["labels"] for row in definitions()}
    assert rows["ai_requests_total"]["outcome"] == list(get_args(Outcome))
    assert rows["ai_requests_total"]["operation"] == list(get_args(Operation))
    assert Metrics().counters["ai_requests_total"]
