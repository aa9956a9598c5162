"""How is a board told to Grafana? As the JSON that its provisioning reads, made with Grafana's own SDK."""

from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import bargauge, cloudwatch, common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shape
from grafana_foundation_sdk.models.cloudwatch import MetricQueryType
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.boards.model import Board, CloudWatch, Panel, Query, Row, Variable, identifier

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
CLOUDWATCH = DataSourceRef(type_val="cloudwatch", uid="${cloudwatch}")
TAG = "tecnocursos"
GLOBAL = {"AWS/CloudFront", "AWS/WAFV2", "AWS/Route53"}  # reported in one region, wherever the estate is
ALL = VariableOption(selected=True, text="All", value="$__all")


def text(board: Board) -> str:
    """The board's JSON, the same for the same board."""
    made = (
        build.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .refresh("30s")
        .time(board.span, "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_others())
    )
    sources = {query.__class__ for panel in board.panels for query in panel.queries}
    if Query in sources:
        made.with_variable(_source("datasource", "Metrics", "prometheus"))
    if CloudWatch in sources:
        made.with_variable(_source("cloudwatch", "CloudWatch", "cloudwatch"))
    for variable in board.variables:
        made.with_variable(_variable(variable))
    for row in board.rows:
        made.with_row(_heading(board, row))
        for panel in row.panels:
            made.with_panel(_panel(panel))
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(made.build()) + "\n"


def _others() -> build.DashboardLink:
    link = build.DashboardLink("TecnoCursos").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(as_dropdown=True).keep_time(keep_time=True)


def _source(name: str, label: str, kind: str) -> build.DatasourceVariable:
    """The choice of a data source; the provisioned one has the kind's name as uid."""
    provisioned = VariableOption(selected=True, text=label, value=kind)
    return build.DatasourceVariable(name).label(label).type(kind).current(provisioned)


def _variable(variable: Variable) -> build.QueryVariable:
    made = (
        build.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(PROMETHEUS if variable.source == "prometheus" else CLOUDWATCH)
        .query(variable.query)
        .regex(variable.pattern)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    if variable.all:
        first = VariableOption(selected=True, text=variable.first, value=variable.first) if variable.first else ALL
        made.multi(multi=True).include_all(include_all=True).current(first)
        made.all_value(".*" if variable.source == "prometheus" else "*")
    return made


def _heading(board: Board, row: Row) -> build.Row:
    return build.Row(row.title).id(identifier(f"{board.uid} {row.title}"))


def _panel(panel: Panel) -> Any:
    kinds: dict[str, Callable[[Panel], Any]] = {"graph": _graph, "number": _number, "bars": _bars}
    made = kinds[panel.kind](panel)
    steps = [Threshold(value=value, color=color) for value, color in panel.steps]
    made = (
        made.id(panel.number)
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .span(panel.width)
        .height(panel.height)
        .datasource(PROMETHEUS if isinstance(panel.queries[0], Query) else CLOUDWATCH)
        .thresholds(build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    )
    if panel.most is not None:
        made.max(panel.most)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        made.with_target(_query(panel, query, letter))
    return made


def _graph(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(shape.LegendDisplayMode.LIST)
    style = shape.GraphTresholdsStyleMode.LINE if len(panel.steps) > 1 else shape.GraphTresholdsStyleMode.OFF
    made = (
        timeseries.Panel()
        .min(0)
        .line_width(1)
        .fill_opacity(30 if panel.stacked else 8)
        .show_points(shape.VisibilityMode.NEVER)
        .legend(legend.placement(shape.LegendPlacement.BOTTOM).show_legend(show_legend=True))
        .tooltip(common.VizTooltipOptions().mode(shape.TooltipDisplayMode.MULTI).sort(shape.SortOrder.DESCENDING))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
    )
    return made.stacking(common.StackingConfig().mode(shape.StackingMode.NORMAL)) if panel.stacked else made


def _number(_: Panel) -> stat.Panel:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return stat.Panel().reduce_options(last).color_mode(shape.BigValueColorMode.VALUE)


def _bars(_: Panel) -> bargauge.Panel:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    made = bargauge.Panel().min(0).reduce_options(last).orientation(shape.VizOrientation.HORIZONTAL)
    return made.display_mode(shape.BarGaugeDisplayMode.BASIC)


def _query(panel: Panel, query: Query | CloudWatch, letter: str) -> Any:
    if isinstance(query, Query):
        asked = prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(letter)
        return (asked.instant() if panel.kind == "bars" else asked.range()).datasource(PROMETHEUS)
    return (
        cloudwatch.CloudWatchMetricsQuery()
        .ref_id(letter)
        .id(letter.lower())
        .datasource(CLOUDWATCH)
        .region("us-east-1" if query.namespace in GLOBAL else "default")
        .metric_query_type(MetricQueryType.SEARCH)
        .namespace(query.namespace)
        .metric_name(query.metric)
        .dimensions(dict(query.dimensions))
        .match_exact(match_exact=True)
        .statistic(query.statistic)
        .period(str(query.period))
        .label(query.legend)
    )
