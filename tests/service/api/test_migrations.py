"""Do migrations make what the models say, forth and back, without breaking the release that still runs?"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

from service.data.migrations import compatibility, run
from service.settings import Settings


@pytest.fixture
def empty(backend: str, tmp_path: Path, worker_id: str) -> Iterator[Settings]:
    """An empty database."""
    if backend == "sqlite":
        yield Settings(database={"url": f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite"})
        return
    server, name = os.environ["TECNOCURSOS_TEST_MYSQL"], f"empty_{worker_id}"
    admin = sqlalchemy.create_engine(server.replace("asyncmy", "pymysql"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE OR REPLACE DATABASE {name}")
        yield Settings(database={"url": f"{server}/{name}"})
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    admin.dispose()


def tables(settings: Settings) -> set[str]:
    engine = run.engine(settings)
    names = set(sqlalchemy.inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_forth_twice_and_back(empty: Settings) -> None:
    run.upgrade(empty)
    assert {"user", "project", "scene", "media", "video", "refresh_token", "audit_event"} <= tables(empty)
    run.upgrade(empty)
    run.downgrade(empty, "base")
    assert tables(empty) == {"alembic_version"}
    run.upgrade(empty)


def test_the_schema_is_what_the_models_say(empty: Settings) -> None:
    run.upgrade(empty)
    engine = run.engine(empty)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    # MariaDB keeps JSON as LONGTEXT; MySQL does not.
    real = [row for row in differences if "JSON" not in str(row)]
    assert not real, real


def test_every_text_is_compared_letter_by_letter(empty: Settings, backend: str) -> None:
    run.upgrade(empty)
    engine = run.engine(empty)
    loose = "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE table_schema = "
    loose += "DATABASE() AND collation_name NOT LIKE '%\\_bin' AND table_name <> 'alembic_version'"
    with engine.connect() as connection:
        if backend == "mysql":
            assert connection.execute(sqlalchemy.text(loose)).all() == []
        else:
            assert connection.execute(sqlalchemy.text("SELECT 'a' = 'A' OR 'e' = 'é'")).scalar_one() == 0
    engine.dispose()


def test_migrations_do_not_run_at_once(empty: Settings, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend == "sqlite":
        run.upgrade(empty)
        return
    monkeypatch.setattr(run, "LOCK_SECONDS", 0)
    monkeypatch.setattr(run, "LOCK", f"of-{empty.database.url}"[-60:])  # the others' tests migrate on the same server
    engine = run.engine(empty)
    with engine.connect() as other:
        other.execute(sqlalchemy.text("SELECT GET_LOCK(:name, 0)"), {"name": run.LOCK})
        with pytest.raises(TimeoutError, match="another migration"):
            run.upgrade(empty)
    engine.dispose()
    run.upgrade(empty)


def test_no_committed_revision_breaks_the_release_before() -> None:
    assert compatibility.problems(compatibility.committed()) == []


HEAD = 'revision = "b"\ndown_revision = "a"\n'
FIRST = 'revision = "a"\ndown_revision = None\ndef upgrade():\n    op.create_table("t")\n'


@pytest.mark.parametrize(
    "step",
    [
        'op.drop_column("t", "c")',
        'op.drop_table("t")',
        'op.rename_table("t", "u")',
        'op.alter_column("t", "c", new_column_name="d")',
        'op.alter_column("t", "c", nullable=False)',
        'op.alter_column("t", "c", type_=sa.Integer())',
        'op.add_column("t", sa.Column("c", sa.Integer(), nullable=False))',
        'op.create_index("i", "t", ["c"], unique=True)',
        'op.create_unique_constraint("u", "t", ["c"])',
        'op.execute("UPDATE t SET c = 1")',
        'with op.batch_alter_table("t") as batch:\n        batch.drop_column("c")',
    ],
)
def test_a_contracting_step_must_say_since_when_nothing_uses_it(step: str) -> None:
    source = f"{HEAD}def upgrade():\n    {step}\n"
    assert compatibility.problems({"a.py": FIRST, "b.py": source})
    declared = 'contracts_after = "a"\n' + source
    assert compatibility.problems({"a.py": FIRST, "b.py": declared}) == []
    assert compatibility.problems({"a.py": FIRST, "b.py": declared.replace('after = "a"', 'after = "b"')})


@pytest.mark.parametrize(
    "step",
    [
        'op.create_table("u")',
        'op.add_column("t", sa.Column("c", sa.Integer()))',
        'op.add_column("t", sa.Column("c", sa.Integer(), nullable=False, server_default="0"))',
        'op.create_index("i", "t", ["c"])',
        'op.alter_column("t", "c", nullable=True)',
        "helper()",
    ],
)
def test_an_expanding_step_is_free(step: str) -> None:
    source = f"{HEAD}def upgrade():\n    {step}\ndef downgrade():\n    op.drop_table('t')\n"
    assert compatibility.problems({"a.py": FIRST, "b.py": source}) == []
