"""Pictures of the boards without Grafana: what a Prometheus answers, as SVG."""
