"""What do the tests of Check and Diff share? The schemas of the installed SDK, built when they are missing."""

import pytest

from rehearsal.aws import schema
from rehearsal.aws.facts import Facts
from rehearsal.aws.library import Library


@pytest.fixture(scope="session")
def schemas() -> schema.Schemas:
    schema.ensure(print)
    return schema.open_schemas()


@pytest.fixture(scope="session")
def library(schemas: schema.Schemas) -> Library:
    return Library(schemas, Facts())
