"""What is seen of the business: who uses the product, what they make with it, who pays, and what it costs."""

from dashboards.boards.model import Board, Panel, Query, Row, below

# Every process of the API counts the whole database, so any of them is right: the greatest is the newest.
API = 'job="service",component="api"'
SERVICE = 'job="service"'
DAY = "[1d]"


def number(name: str, title: str, description: str, unit: str, expression: str) -> Panel:
    """One figure of six in a line."""
    return Panel(name, title, description, unit, (Query(expression, title),), kind="number", width=4)


PEOPLE = Row(
    "People",
    (
        number(
            "users",
            "Accounts",
            "Accounts stored, erased ones included.",
            "short",
            f'max(stored_rows{{{API},kind="users"}})',
        ),
        number(
            "users_active",
            "Active in 30 days",
            "Accounts that used the product in the last 30 days.",
            "short",
            f'max(active_users{{{API},window="30d"}})',
        ),
        number(
            "stickiness",
            "Stickiness",
            "Share of the month's users who came today.",
            "percentunit",
            f'max(active_users{{{API},window="1d"}}) / (max(active_users{{{API},window="30d"}}) > 0) or vector(0)',
        ),
        number(
            "revenue",
            "Monthly revenue",
            "Sum of the agreed monthly prices.",
            "currencyUSD",
            f"sum(max by (plan) (monthly_recurring_revenue_usd{{{API}}}))",
        ),
        number(
            "paying",
            "Paying accounts",
            "Accounts on a plan with a price.",
            "short",
            f'sum(max by (plan) (subscribers{{{API},plan!="free"}}))',
        ),
        number(
            "conversion_ratio",
            "Paying share",
            "Share of all open accounts that pay.",
            "percentunit",
            f'sum(max by (plan) (subscribers{{{API},plan!="free"}})) / (sum(max by (plan) (subscribers{{{API}}})) > 0)'
            " or vector(0)",
        ),
        Panel(
            "active_users",
            "Active people",
            "Accounts that used the product within a day, a week and 30 days.",
            "short",
            (Query(f"max by (window) (active_users{{{API}}})", "{{window}}"),),
        ),
        Panel(
            "registrations",
            "New accounts per day",
            "Registrations within the last day.",
            "short",
            (Query(f"sum(increase(users_registered_total{{{API}}}{DAY}))", "new accounts"),),
        ),
        Panel(
            "sign_ins",
            "Sign-ins per day",
            "Sessions opened within the last day: how often people come back.",
            "short",
            (Query(f'sum(increase(sessions_total{{{API},event="opened"}}{DAY}))', "sessions"),),
        ),
    ),
)
MONEY = Row(
    "Conversions and revenue",
    (
        Panel(
            "revenue_by_plan",
            "Monthly revenue by plan",
            "Sum of the agreed monthly prices.",
            "currencyUSD",
            (Query(f'max by (plan) (monthly_recurring_revenue_usd{{{API},plan!="free"}})', "{{plan}}"),),
            stacked=True,
        ),
        Panel(
            "subscribers",
            "Paying accounts by plan",
            "Open accounts on a plan with a price.",
            "short",
            (Query(f'max by (plan) (subscribers{{{API},plan!="free"}})', "{{plan}}"),),
            stacked=True,
        ),
        Panel(
            "revenue_per_user",
            "Revenue per paying account",
            "Monthly revenue divided by the accounts that pay it.",
            "currencyUSD",
            (
                Query(
                    f"sum(max by (plan) (monthly_recurring_revenue_usd{{{API}}}))"
                    f' / (sum(max by (plan) (subscribers{{{API},plan!="free"}})) > 0)',
                    "per account",
                ),
            ),
        ),
        Panel(
            "conversions",
            "Conversions and churn per day",
            "First paid plans, returns to a paid plan, and ways back to free, within the last day.",
            "short",
            (
                Query(
                    f'sum by (change) (increase(plan_changes_total{{{API},change=~"conversion|return|churn"}}{DAY}))',
                    "{{change}}",
                ),
            ),
        ),
        Panel(
            "plan_changes",
            "Changes between paid plans per day",
            "upgrade: pays more than before; downgrade: less; exchange: another plan at the same price.",
            "short",
            (
                Query(
                    "sum by (change) "
                    f'(increase(plan_changes_total{{{API},change=~"upgrade|downgrade|exchange"}}{DAY}))',
                    "{{change}}",
                ),
            ),
        ),
        Panel(
            "cost_per_video",
            "Provider cost per published video",
            "What providers billed within the last day, divided by the videos published.",
            "currencyUSD",
            (
                Query(
                    f"sum(increase(ai_cost_usd_total{{{SERVICE}}}{DAY}))"
                    f' / (sum(increase(video_jobs_total{{{SERVICE},outcome="done"}}{DAY})) > 0)',
                    "per video",
                ),
            ),
        ),
    ),
)
WORK = Row(
    "What is made",
    (
        Panel(
            "stored",
            "Courses, scenes, uploads, videos",
            "All that people have made and not deleted.",
            "short",
            (Query(f'max by (kind) (stored_rows{{{API},kind!="users"}})', "{{kind}}"),),
        ),
        Panel(
            "created",
            "Made per day",
            "Courses and scenes created, files uploaded, videos asked for, in the last day.",
            "short",
            (
                Query(f"sum(increase(projects_created_total{{{API}}}{DAY}))", "courses"),
                Query(f"sum(increase(scenes_created_total{{{API}}}{DAY}))", "scenes"),
                Query(f'sum(increase(media_uploads_total{{{API},result="completed"}}{DAY}))', "uploads"),
                Query(f'sum(increase(video_requests_total{{{API},event="requested"}}{DAY}))', "videos"),
            ),
        ),
        Panel(
            "videos_published",
            "Videos published per day",
            "Finished videos, and those given up, in the last day.",
            "short",
            (
                Query(
                    f'sum by (outcome) (increase(video_jobs_total{{{SERVICE},outcome=~"done|rejected|dead"}}{DAY}))',
                    "{{outcome}}",
                ),
            ),
        ),
        Panel(
            "video_minutes",
            "Length of videos published per day",
            "All together.",
            "s",
            (Query(f"sum(increase(video_seconds_total{{{SERVICE}}}{DAY}))", "length"),),
        ),
        Panel(
            "upload_bytes",
            "Uploaded per day",
            "Bytes of completed uploads.",
            "bytes",
            (Query(f"sum(increase(media_upload_bytes_total{{{API}}}{DAY}))", "bytes"),),
        ),
        Panel(
            "videos_kept",
            "Videos that reached their owner",
            "Of the videos that ended within a day, those published.",
            "percentunit",
            (
                Query(
                    f'(sum(increase(video_jobs_total{{{SERVICE},outcome="done"}}{DAY})) or vector(0))'
                    f' / (sum(increase(video_jobs_total{{{SERVICE},outcome=~"done|rejected|dead"}}{DAY})) > 0)',
                    "published",
                ),
            ),
            steps=below(0.9, 0.99),
            most=1,
        ),
    ),
)
FEATURES = Row(
    "Use of features",
    (
        Panel(
            "features",
            "Features used in the last day",
            "Publishing, browsing the catalogue, reordering scenes, exporting one's data, repeated creations.",
            "short",
            (Query(f"sort_desc(sum by (feature) (increase(feature_use_total{{{API}}}{DAY})))", "{{feature}}"),),
            kind="bars",
            width=12,
        ),
        Panel(
            "feature_course",
            "Use of features over time",
            "Uses per hour.",
            "short",
            (Query(f"sum by (feature) (rate(feature_use_total{{{API}}}[1h])) * 3600", "{{feature}}"),),
            width=12,
        ),
    ),
)
BUSINESS = Board(
    "tecnocursos-business",
    "TecnoCursos / Business",
    "Engagement, conversions, revenue, production and the use of features.",
    (PEOPLE, MONEY, WORK, FEATURES),
    span="now-30d",
)
