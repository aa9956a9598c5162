"""Does the catalogue tell right expressions from wrong ones?"""

from pathlib import Path

import pytest

from dashboards import catalogue, metrics


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (route) (rate(http_requests_total{status="5xx", pod=~"$pod"}[$__rate_interval]))',
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        'absent(up{job="service", component="api"} == 1)',
        "max_over_time(video_queue_age_seconds[1h:$__interval])",
        'ai_requests_total{outcome!~"ok|open"} and on (provider) ai_breaker_open == 1',
        "sum by (pod) (database_connections) * on (pod) group_left (component) up",
        "time() - vector(5) > 3",
        "sum by (pod, state) (database_connections) / ignoring (state) sum by (pod) (database_connections)",
        'label_replace(up, "zone", "$1", "instance", "(.*)")',
    ],
)
def test_accepts(expression: str) -> None:
    assert catalogue.problems(expression) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("sum(rate(http_requests_total[5m])", "does not parse"),
        ("rate(http_request_total[5m])", "http_request_total: no such metric"),
        ("http_requests_total{code='500'}", "http_requests_total: no label 'code'"),
        ("http_requests_total{status='500'}", "status is never '500'"),
        ("http_requests_total{status=~'5xx|6xx'}", "status is never '6xx'"),
        ("http_request_duration_seconds_bucket{le='0.3'}", "le is never '0.3'"),
        ("rate(http_requests_in_flight[5m])", "rate() of a gauge"),
        ("sum by (zone) (up)", "sum: no label 'zone'"),
        ("sum by (pod) (sum by (job) (up))", "no label 'pod' at this place; there are job"),
        ("sum(up) / on (pod) up", "no label 'pod'"),
        ("up / ignoring (colour) up", "no label 'colour'"),
        ("up * on (pod) group_left (colour) up", "no label 'colour'"),
        ("histogram_quantile(0.9, sum(rate(http_request_duration_seconds_bucket[5m])))", "no label 'le'"),
        ("histogram_quantile(0.9, rate(http_request_duration_seconds[5m]))", "no such metric"),
    ],
)
def test_refuses(expression: str, said: str) -> None:
    assert any(said in problem for problem in catalogue.problems(expression)), catalogue.problems(expression)


def test_every_problem_is_named() -> None:
    assert len(catalogue.problems("sum by (zone) (nowhere) + http_requests_total{code='1', status='x'}")) == 4


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("sum(up)", set()),
        ("sum by (pod) (up)", {"pod"}),
        ("sum without (pod) (sum by (pod, job) (up))", {"job"}),
        ("topk(3, sum by (pod) (up))", {"pod"}),
        ("sum by (pod, job) (up) / on (pod) sum by (pod) (up)", {"pod"}),
        ("sum by (pod) (up) * on (pod) group_left (app) up", {"pod", "app"}),
        ("sum by (pod) (up) and on () vector(1)", {"pod"}),
        ("absent(up)", set()),
        ("histogram_quantile(0.5, sum by (le, route) (http_request_duration_seconds_bucket))", {"route"}),
    ],
)
def test_labels_of_the_result(expression: str, labels: set[str]) -> None:
    assert catalogue.labels(expression) == labels


def test_declared_twice(tmp_path: Path) -> None:
    row = '- {name: up, type: gauge, unit: "1", labels: {}, meaning: again}'
    (tmp_path / "metrics.yaml").write_text(row)
    with pytest.raises(ValueError, match="up: declared twice"):
        metrics.load(service=tmp_path / "metrics.yaml")


def test_unlisted_exporter(tmp_path: Path) -> None:
    row = '- {name: x, type: gauge, unit: "1", labels: {}, meaning: nothing, exporter: nobody}'
    (tmp_path / "metrics.yaml").write_text(row)
    with pytest.raises(ValueError, match="x: exporter 'nobody'"):
        metrics.load(service=tmp_path / "metrics.yaml")
