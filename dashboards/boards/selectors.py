"""Which series of the service are meant? Label matchers with the boards' variables, and the expressions made often."""

from dashboards.boards.model import Query

API = 'job="service",component="api",pod=~"$pod"'
ASKED = f'{API},route=~"$route",route!~"/livez|/readyz|/version"'
SERVICE = 'job="service",pod=~"$pod"'
RATE = "[$__rate_interval]"


def quantiles(metric: str, labels: str, *shares: float) -> tuple[Query, ...]:
    """Quantiles of a histogram as one query each."""
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{{labels}}}{RATE})))", f"P{share * 100:g}"
        )
        for share in shares
    )
