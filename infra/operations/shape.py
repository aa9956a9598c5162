"""What of watching, saving and paying may differ between environments?"""

from typing import Literal

from pydantic import Field

from infra.foundation.shape import Shape
from infra.workload.shape import Image


class BackupShape(Shape):
    """AWS Backup."""

    copied: bool = Field(description="true copies recovery points to the recovery region")
    lock: Literal["none", "governance", "compliance"] = Field(
        description="none, governance (privileged roles may lift it) or compliance (nobody may, after 7 days)"
    )
    restore_tests: bool = Field(description="true restores the latest recovery points every week, and measures it")


class AlarmShape(Shape):
    """Who is told."""

    page: tuple[str, ...] = Field(description="e-mail addresses for what cannot wait until the morning")
    ticket: tuple[str, ...] = Field(description="e-mail addresses for everything else")


class BudgetShape(Shape):
    """Money, in US dollars."""

    monthly_usd: int = Field(ge=1, description="the monthly budget in US dollars")
    anomaly_monitor: str = Field(
        pattern=r"^(create|arn:aws:ce::\d{12}:anomalymonitor/[0-9a-f-]{36})$",
        description="the ARN of the account's own monitor of services (aws ce get-anomaly-monitors): AWS makes one and"
        " allows one; create, in quotes or not, makes it where there is none",
    )
    anomaly_usd: int = Field(ge=1, description="US dollars of unexpected cost that are reported")
    deny_when_spent: bool = Field(description="true forbids new resources when the budget is spent")


class MetricsShape(Shape):
    """Managed Prometheus, and Grafana before it."""

    retention_days: int = Field(ge=1, le=1095, description="days that metrics are kept, 1 to 1095")
    grafana_image: Image = Field(description="Grafana's image by digest, from this account's registry")
