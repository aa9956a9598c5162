"""What is seen of the objectives: how much of the error budget is left, how fast it goes, and who is being called."""

from dashboards.boards.model import Board, Panel, Query, Row, Variable, above, below

CHOSEN = 'slo=~"$slo"'
OBJECTIVES = Board(
    "tecnocursos-objectives",
    "TecnoCursos / Objectives",
    "The service level objectives: what is promised over 30 days, what was kept, and what is left to spend.",
    (
        Row(
            "Now",
            (
                Panel(
                    "budget_left",
                    "Error budget left",
                    "Share of the 30 days' budget that is left. Below 0 the objective is missed: no risky releases.",
                    "percentunit",
                    (Query(f"slo:error_budget_remaining:ratio{{{CHOSEN}}}", "{{slo}}"),),
                    kind="number",
                    steps=below(0, 0.25),
                    width=12,
                ),
                Panel(
                    "kept",
                    "Kept over 30 days",
                    "Share of good events. The objectives: 99.9 % of requests without server error, 95 % below 200 ms, "
                    "99 % of videos made.",
                    "percentunit",
                    (Query(f"1 - slo:error_ratio:rate30d{{{CHOSEN}}}", "{{slo}}"),),
                    kind="number",
                    width=12,
                ),
                Panel(
                    "alerts_firing",
                    "Alerts firing",
                    "page: a call at once; ticket: on the next working day. Watchdog always fires, as a proof of life.",
                    "short",
                    (
                        Query(
                            'sum by (alertname, severity) (ALERTS{alertstate="firing"})', "{{alertname}} ({{severity}})"
                        ),
                    ),
                    width=12,
                ),
                Panel(
                    "budget_course",
                    "Course of the error budget",
                    "A slow fall is wear, a step was an incident. It returns as the incident leaves the 30 days.",
                    "percentunit",
                    (Query(f"slo:error_budget_remaining:ratio{{{CHOSEN}}}", "{{slo}}"),),
                    steps=below(0, 0.25),
                    width=12,
                ),
            ),
        ),
        Row(
            "How fast the budget goes",
            (
                Panel(
                    "burn_rate",
                    "Burn rate",
                    "1 uses the budget up exactly in 30 days. 14.4 over an hour is a call: 2 % are gone in that hour.",
                    "short",
                    (Query(f"slo:burn_rate:rate1h{{{CHOSEN}}}", "{{slo}}, 1 h"),),
                    steps=above(1, 14.4),
                ),
                Panel(
                    "error_ratio",
                    "Bad events",
                    "Share of events that missed the objective, over 5 minutes.",
                    "percentunit",
                    (Query(f"slo:error_ratio:rate5m{{{CHOSEN}}}", "{{slo}}"),),
                ),
                Panel(
                    "events",
                    "Events",
                    "What the objectives are measured by: requests, and videos that ended. Few events say little.",
                    "ops",
                    (
                        Query(f"slo:events:rate5m{{{CHOSEN}}}", "{{slo}}"),
                        Query(f"slo:bad:rate5m{{{CHOSEN}}}", "{{slo}}, bad"),
                    ),
                ),
                Panel(
                    "burn_windows",
                    "Burn rate by window",
                    "Longer windows tell wear from a moment's trouble: alerts need a long and a short one together.",
                    "short",
                    tuple(
                        Query(
                            f"slo:error_ratio:rate{window}{{{CHOSEN}}}"
                            f" / on (slo) (1 - slo:objective:ratio{{{CHOSEN}}})",
                            f"{{{{slo}}}}, {window}",
                        )
                        for window in ("5m", "1h", "6h", "3d")
                    ),
                    width=24,
                ),
            ),
        ),
    ),
    (Variable("slo", "Objective", "label_values(slo:objective:ratio, slo)"),),
    span="now-7d",
)
