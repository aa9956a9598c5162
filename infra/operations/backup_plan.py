"""What does the backup plan say? Typed rows of backup_plan.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, model_validator

from infra.foundation.shape import Shape

FILE = Path(__file__).with_name("backup_plan.yaml")
HOURS_PER_DAY = 24


class Row(Shape):
    """One kind of data. every_hours divides a day, so that every day has the same backups."""

    what: str
    by: Literal["rds", "aws-backup", "elasticache", "git"]
    rpo_minutes: int = Field(ge=0)
    rto_minutes: int = Field(ge=0)
    retention_days: int = Field(ge=1)
    service: Literal["RDS", "S3", "EKS"] | None = None
    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] | None = None
    restore_test: bool = False

    @model_validator(mode="after")
    def _keeps_its_promise(self) -> Self:
        if (self.by == "aws-backup") != (self.service is not None):
            raise ValueError("service is the AWS Backup resource type: needed with by: aws-backup, and only there")
        if self.by in {"aws-backup", "elasticache"} and self.every_hours is None:
            raise ValueError(f"by: {self.by} needs every_hours")
        if self.every_hours is not None and self.every_hours * 60 > self.rpo_minutes:
            raise ValueError(f"a backup every {self.every_hours} hours cannot keep rpo_minutes: {self.rpo_minutes}")
        if self.restore_test and self.by != "aws-backup":
            raise ValueError("only AWS Backup runs restore tests")
        return self

    @property
    def schedule(self) -> str:
        """The cron expression of AWS Backup, in UTC, beginning at 01:00."""
        every = self.every_hours or HOURS_PER_DAY
        hours = "1" if every == HOURS_PER_DAY else f"{1 % every}/{every}"
        return f"cron(0 {hours} * * ? *)"


class BackupPlan(Shape):
    """The whole table, by the value of the tag `backup`."""

    rows: Mapping[str, Row]

    def vaulted(self) -> Mapping[str, Row]:
        """The rows that AWS Backup takes care of."""
        return {name: row for name, row in self.rows.items() if row.by == "aws-backup"}


def load(path: Path = FILE) -> BackupPlan:
    """The committed plan; pydantic.ValidationError when a row contradicts itself."""
    return BackupPlan.model_validate(yaml.safe_load(path.read_text()))
