"""Does a report list what the rehearsal could check at schema level only?"""

import os

import pytest

from delivery.engine import Target
from delivery.publish import checked_less
from tests.infra.record import ROOT

KIND = "kubernetes:apps/v1:Deployment"


@pytest.mark.parametrize(("mode", "listed"), [("schema", True), ("real", False)])
def test_kinds_are_listed_with_what_only_a_real_api_server_refuses(mode: str, listed: bool) -> None:
    target = Target(ROOT, "tecnocursos", "dev", rehearsal=True)
    shallow, notes = checked_less([KIND], target, os.environ | {"KUBERNETES": mode})
    assert notes == []
    assert [token for token, _ in shallow] == [KIND] * listed
    for _, reason in shallow:
        assert "a selector that does not match its template's labels" in reason
