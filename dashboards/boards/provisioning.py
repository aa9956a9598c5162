"""What does Grafana find when it starts? Its data sources and the folder of the boards.

`@PROMETHEUS_URL@` and `@REGION@` stand for what only the estate knows; whoever deploys the files replaces them.
"""

DATASOURCES = """# Grafana's data sources. AMP is asked with the pod's own role (SigV4); so is CloudWatch.
apiVersion: 1
prune: true
datasources:
  - name: Metrics
    uid: prometheus
    type: prometheus
    access: proxy
    url: "@PROMETHEUS_URL@"
    isDefault: true
    editable: false
    jsonData:
      httpMethod: POST
      prometheusType: Prometheus
      timeInterval: 30s
      sigV4Auth: true
      sigV4AuthType: default
      sigV4Region: "@REGION@"
  - name: CloudWatch
    uid: cloudwatch
    type: cloudwatch
    editable: false
    jsonData:
      authType: default
      defaultRegion: "@REGION@"
"""
DASHBOARDS = """# Grafana's boards: files, so that what is reviewed is what is shown.
apiVersion: 1
providers:
  - name: tecnocursos
    folder: TecnoCursos
    type: file
    disableDeletion: true
    allowUiUpdates: false
    options:
      path: /var/lib/grafana/dashboards
"""
