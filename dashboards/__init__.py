"""What is watched: SLOs, alert rules and dashboards, generated from typed Python."""
