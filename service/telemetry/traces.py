"""Where do traces go? To OTLP when configured, else nowhere, at no cost."""

from service.settings import Settings


def install(settings: Settings) -> None:
    """Start what is configured; it is imported only then."""
    if settings.logs.trace_endpoint is not None:
        _trace(settings.logs.trace_endpoint, settings)


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
