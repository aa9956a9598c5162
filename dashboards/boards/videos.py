"""What is seen of the making of videos? The queue, the workers, and the AI providers they call."""

from dashboards.boards.model import Panel, Query, Row, above
from dashboards.boards.selectors import API, RATE, SERVICE, quantiles

VIDEOS = Row(
    "Videos",
    (
        Panel(
            "queue_age",
            "Age of the oldest waiting video",
            "How long the first in the queue has waited. More than 15 minutes: too few workers, or none that works.",
            "s",
            (Query('max(video_queue_age_seconds{job="service"})', "age"),),
            steps=above(300, 900),
        ),
        Panel(
            "queue_length",
            "Videos waiting and being rendered",
            "As a worker last saw the queue; the rendered ones are summed over all workers.",
            "short",
            (
                Query('max(video_queue_length{job="service"})', "waiting"),
                Query(f"sum(video_jobs_running{{{SERVICE}}})", "being rendered"),
            ),
        ),
        Panel(
            "video_outcomes",
            "Attempts by their end",
            "Per hour. rejected: the course's fault; dead: ours, after the last attempt; lost: a worker fell silent.",
            "short",
            (Query(f"sum by (outcome) (rate(video_jobs_total{{{SERVICE}}}{RATE})) * 3600", "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "render_time",
            "Time to render",
            "From the claim of a video to its publication.",
            "s",
            quantiles("video_render_duration_seconds", SERVICE, 0.5, 0.95),
            steps=above(300, 900),
        ),
        Panel(
            "scene_cache",
            "Scenes taken from the cache",
            "Share of the scenes of published videos that did not have to be rendered again.",
            "percentunit",
            (
                Query(
                    f'(sum(rate(video_scenes_total{{{SERVICE},source="cached"}}{RATE})) or vector(0))'
                    f" / sum(rate(video_scenes_total{{{SERVICE}}}{RATE}))",
                    "cached",
                ),
            ),
            most=1,
        ),
        Panel(
            "wakes_failed",
            "Workers not woken",
            "Messages that the broker did not take. The videos are found all the same, some seconds later.",
            "ops",
            (Query(f"sum(rate(video_wakes_failed_total{{{API}}}{RATE}))", "failed"),),
            steps=above(0.01, 1),
        ),
    ),
)
PROVIDERS = Row(
    "AI providers",
    (
        Panel(
            "provider_calls",
            "Calls by outcome",
            "Attempts at calls to providers. open: not even tried, because the provider failed before.",
            "ops",
            (
                Query(
                    f"sum by (provider, outcome) (rate(ai_requests_total{{{SERVICE}}}{RATE}))",
                    "{{provider}}, {{outcome}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "provider_latency",
            "Time of a call, P95",
            "By provider. Calls end in a timeout, and the embedded provider steps in.",
            "s",
            (
                Query(
                    "histogram_quantile(0.95, sum by (provider, le) "
                    f"(rate(ai_request_duration_seconds_bucket{{{SERVICE}}}{RATE})))",
                    "{{provider}}",
                ),
            ),
            steps=above(10, 30),
        ),
        Panel(
            "provider_cost",
            "Cost per day",
            "By the price list, at the present rate.",
            "currencyUSD",
            (Query(f"sum by (provider) (rate(ai_cost_usd_total{{{SERVICE}}}{RATE})) * 86400", "{{provider}}"),),
            stacked=True,
        ),
        Panel(
            "provider_tokens",
            "Tokens and characters per second",
            "What is billed: tokens of text, characters of speech.",
            "short",
            (
                Query(
                    f"sum by (provider, direction) (rate(ai_tokens_total{{{SERVICE}}}{RATE}))",
                    "{{provider}}, {{direction}}",
                ),
                Query(f"sum by (provider) (rate(ai_characters_total{{{SERVICE}}}{RATE}))", "{{provider}}, spoken"),
            ),
        ),
        Panel(
            "provider_breaker",
            "Providers left alone",
            "Workers that have stopped asking a failing provider for a while.",
            "short",
            (Query(f"sum by (provider) (ai_breaker_open{{{SERVICE}}})", "{{provider}}"),),
            steps=above(1, 2),
        ),
        Panel(
            "provider_fallbacks",
            "The embedded provider stepped in",
            "Per hour. The videos are made, with a plainer voice or text.",
            "short",
            (
                Query(
                    f"sum by (provider, operation) (rate(ai_fallbacks_total{{{SERVICE}}}{RATE})) * 3600",
                    "{{provider}}, {{operation}}",
                ),
            ),
        ),
    ),
)
