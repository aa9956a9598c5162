"""What is seen of the application: requests, database, cache, accounts, videos, AI providers, processes."""

from dashboards.boards.model import Board, Panel, Query, Row, Variable, above, below
from dashboards.boards.selectors import API, ASKED, RATE, SERVICE, quantiles
from dashboards.boards.videos import PROVIDERS, VIDEOS

REQUESTS = Row(
    "Requests",
    (
        Panel(
            "requests",
            "Requests per second",
            "Answered requests by class of status, without the probes. A fall to nothing is as bad as errors.",
            "reqps",
            (Query(f"sum by (status) (rate(http_requests_total{{{ASKED}}}{RATE}))", "{{status}}"),),
            stacked=True,
        ),
        Panel(
            "errors",
            "Error ratio",
            "Share of requests that ended in a server error. The objective allows 0.1 %; above 1 % somebody is called.",
            "percentunit",
            (
                Query(
                    f'(sum(rate(http_requests_total{{{ASKED},status="5xx"}}{RATE})) or vector(0))'
                    f" / sum(rate(http_requests_total{{{ASKED}}}{RATE}))",
                    "server errors",
                ),
            ),
            steps=above(0.001, 0.01),
        ),
        Panel(
            "latency",
            "Latency",
            "Time to the last byte sent. The objective is 200 ms for 95 % of requests; above 500 ms, a call.",
            "s",
            quantiles("http_request_duration_seconds", ASKED, 0.5, 0.95, 0.99),
            steps=above(0.2, 0.5),
        ),
        Panel(
            "busiest_routes",
            "Busiest routes",
            "The ten routes with the most requests per second.",
            "reqps",
            (
                Query(
                    f"topk(10, sum by (method, route) (rate(http_requests_total{{{ASKED}}}{RATE})))",
                    "{{method}} {{route}}",
                ),
            ),
            kind="bars",
        ),
        Panel(
            "slowest_routes",
            "Slowest routes, P95",
            "The ten routes whose slowest twentieth takes longest.",
            "s",
            (
                Query(
                    "topk(10, histogram_quantile(0.95, sum by (method, route, le) "
                    f"(rate(http_request_duration_seconds_bucket{{{ASKED}}}{RATE}))))",
                    "{{method}} {{route}}",
                ),
            ),
            kind="bars",
            steps=above(0.2, 0.5),
        ),
        Panel(
            "refused",
            "Refused by the rate limit",
            "Requests answered 429, by zone. Many in one zone: one client, or a limit that is too low for real use.",
            "reqps",
            (Query(f"sum by (zone) (rate(rate_limited_total{{{API}}}{RATE}))", "{{zone}}"),),
        ),
        Panel(
            "in_flight",
            "Requests in flight",
            "Requests being served, by pod. They pile up when the database is slow or pods are too few.",
            "short",
            (Query(f"http_requests_in_flight{{{API}}}", "{{pod}}"),),
            stacked=True,
        ),
        Panel(
            "limits",
            "Rate limits under load",
            "1 at rest; below, pods have tightened every limit because they serve more at once than they should.",
            "percentunit",
            (Query(f"min by (pod) (rate_limit_factor{{{API}}})", "{{pod}}"),),
            steps=below(0.5, 1),
            most=1,
        ),
        Panel(
            "streams",
            "Open progress streams",
            "WebSockets on which people watch their videos being made.",
            "short",
            (Query(f"sum(progress_streams{{{API}}})", "streams"),),
        ),
    ),
)
STORES = Row(
    "Database and cache",
    (
        Panel(
            "database_queries",
            "Statements per second",
            "Statements sent to the database, by kind.",
            "ops",
            (Query(f"sum by (operation) (rate(database_queries_total{{{SERVICE}}}{RATE}))", "{{operation}}"),),
            stacked=True,
        ),
        Panel(
            "database_latency",
            "Time of a statement",
            "As the service sees it, network included. More than 50 ms for one in twenty makes requests miss 200 ms.",
            "s",
            quantiles("database_query_duration_seconds", SERVICE, 0.5, 0.95, 0.99),
            steps=above(0.05, 0.5),
        ),
        Panel(
            "database_pool",
            "Pools in use",
            "Share of a pool's connections in use, in the pod where it is highest. At 100 % requests wait for one.",
            "percentunit",
            (
                Query(
                    f'max by (pool) (database_connections{{{API},state="used"}}'
                    f" / on (instance, pool) database_connections_limit{{{API}}})",
                    "{{pool}}",
                ),
            ),
            steps=above(0.8, 0.95),
            most=1,
        ),
        Panel(
            "database_reconnects",
            "Connections lost",
            "Attempts repeated because the database did not answer or hung up: a failover, a restart.",
            "ops",
            (Query(f"sum by (component) (rate(database_reconnects_total{{{SERVICE}}}{RATE}))", "{{component}}"),),
            steps=above(0.01, 1),
            width=6,
        ),
        Panel(
            "cache_hits",
            "Pages found in the cache",
            "Share of pages answered without the database.",
            "percentunit",
            (
                Query(
                    f'(sum(rate(cache_requests_total{{{API},result="hit"}}{RATE})) or vector(0))'
                    f" / sum(rate(cache_requests_total{{{API}}}{RATE}))",
                    "hits",
                ),
            ),
            most=1,
            width=6,
        ),
        Panel(
            "cache_failures",
            "Calls to the cache that failed",
            "Meanwhile every process limits by its own count and does not hear of closed sessions.",
            "ops",
            (
                Query(f"sum(rate(cache_failures_total{{{API}}}{RATE}))", "failed"),
                Query(f"sum(rate(cache_readonly_total{{{API}}}{RATE}))", "refused by a replica (failover)"),
            ),
            steps=above(0.01, 1),
            width=6,
        ),
        Panel(
            "cache_evictions",
            "Evictions",
            "Entries thrown out for lack of room. Limits and revocations are among them: the cache must be larger.",
            "ops",
            (Query(f"max(rate(cache_evictions_total{{{API}}}{RATE}))", "evicted"),),
            steps=above(0.1, 10),
            width=6,
        ),
    ),
)
ACCOUNTS = Row(
    "Sign-in and uploads",
    (
        Panel(
            "sessions",
            "Sessions",
            "What happened to login sessions. Refused ones in masses: somebody tries passwords; reuse: a stolen token.",
            "ops",
            (Query(f"sum by (event) (rate(sessions_total{{{API}}}{RATE}))", "{{event}}"),),
        ),
        Panel(
            "password_checks",
            "Password checks waiting",
            "Requests that wait for the share of CPU that hashing may use: a login storm.",
            "short",
            (Query(f"sum(password_checks_waiting{{{API}}})", "waiting"),),
            steps=above(10, 50),
        ),
        Panel(
            "uploads",
            "Uploads",
            "Files announced, completed and refused.",
            "ops",
            (Query(f"sum by (result) (rate(media_uploads_total{{{API}}}{RATE}))", "{{result}}"),),
        ),
    ),
)
PROCESSES = Row(
    "Processes",
    (
        Panel(
            "process_cpu",
            "CPU by pod",
            "Cores in use. A process of the API cannot use more than one.",
            "short",
            (Query(f"rate(process_cpu_seconds_total{{{SERVICE}}}{RATE})", "{{pod}}"),),
            width=6,
        ),
        Panel(
            "process_memory",
            "Memory by pod",
            "Resident memory of the process itself; rendering's children are seen on the infrastructure board.",
            "bytes",
            (Query(f"process_resident_memory_bytes{{{SERVICE}}}", "{{pod}}"),),
            width=6,
        ),
        Panel(
            "process_disk",
            "Free disk",
            "Where local files are kept: uploads in development, work and rendered scenes of workers.",
            "percentunit",
            (Query(f"disk_free_bytes{{{SERVICE}}} / disk_size_bytes{{{SERVICE}}}", "{{pod}}"),),
            steps=below(0.1, 0.2),
            most=1,
            width=6,
        ),
        Panel(
            "process_files",
            "Open files",
            "Share of the file descriptors that a process may open.",
            "percentunit",
            (Query(f"process_open_fds{{{SERVICE}}} / process_max_fds{{{SERVICE}}}", "{{pod}}"),),
            steps=above(0.7, 0.9),
            width=6,
        ),
    ),
)
APPLICATION = Board(
    "tecnocursos-application",
    "TecnoCursos / Application",
    "The service from inside: what is asked of it, how it answers, and what it waits for.",
    (REQUESTS, STORES, ACCOUNTS, VIDEOS, PROVIDERS, PROCESSES),
    (
        Variable("pod", "Pod", 'label_values(up{job="service"}, pod)'),
        Variable("route", "Route", 'label_values(http_requests_total{job="service"}, route)'),
    ),
)
