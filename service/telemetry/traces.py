"""Where do traces and errors go? To OTLP and a Sentry-compatible tracker when configured, else nowhere, at no cost."""

from service.settings import Settings


def install(settings: Settings) -> None:
    """Start what is configured; both import only then."""
    if settings.logs.tracker_url is not None:
        _track_errors(settings.logs.tracker_url.get_secret_value(), settings)
    if settings.logs.trace_endpoint is not None:
        _trace(settings.logs.trace_endpoint, settings)


def _track_errors(url: str, settings: Settings) -> None:
    import sentry_sdk  # noqa: PLC0415
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415

    # The default integrations cost 120 microseconds a request and send what a person typed; these do neither.
    sentry_sdk.init(
        url,
        environment=settings.environment.value,
        release=settings.version,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration()],
        send_default_pii=False,
    )


def _trace(endpoint: str, settings: Settings) -> None:
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.logs.trace_ratio)),
        resource=Resource.create({"service.name": "tecnocursos", "service.version": settings.version}),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)  # FastAPI's own instrumentation finds it
