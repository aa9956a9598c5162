"""The dashboards, from typed Python to Grafana's JSON."""
