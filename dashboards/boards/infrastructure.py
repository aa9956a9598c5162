"""What is seen of the infrastructure: pods and nodes through Prometheus, AWS's own services through CloudWatch."""

from dashboards.boards.aws import BALANCER, CACHE, CLUSTER, DATABASE, EDGE, QUEUE, VARIABLES
from dashboards.boards.model import Board, Panel, Query, Row, Variable, above, below

SPACE = 'namespace=~"$namespace"'
RATE = "[$__rate_interval]"
CONTAINER = f'{SPACE},container!=""'

PODS = Row(
    "Pods",
    (
        Panel(
            "pods_ready",
            "Pods ready",
            "Of what each Deployment wants. Less for long: pods crash or find no node.",
            "percentunit",
            (
                Query(
                    f"kube_deployment_status_replicas_available{{{SPACE}}}"
                    f" / on (namespace, deployment) kube_deployment_spec_replicas{{{SPACE}}}",
                    "{{deployment}}",
                ),
            ),
            steps=below(0.5, 1),
            most=1,
        ),
        Panel(
            "pods",
            "Pods by phase",
            "Pending ones wait for a node or a volume; failed ones have given up.",
            "short",
            (Query(f"sum by (phase) (kube_pod_status_phase{{{SPACE}}})", "{{phase}}"),),
            stacked=True,
        ),
        Panel(
            "restarts",
            "Restarts in the last hour",
            "Containers that ended and were started again.",
            "short",
            (
                Query(
                    f"topk(10, sum by (pod) (increase(kube_pod_container_status_restarts_total{{{SPACE}}}[1h])))",
                    "{{pod}}",
                ),
            ),
            steps=above(1, 3),
        ),
        Panel(
            "waiting",
            "Containers that do not run",
            "With the reason that Kubernetes gives.",
            "short",
            (Query(f"sum by (reason) (kube_pod_container_status_waiting_reason{{{SPACE}}})", "{{reason}}"),),
            steps=above(1, 3),
        ),
        Panel(
            "autoscaler",
            "Autoscaler",
            "Pods now, between the fewest and the most that may be. At the most: it cannot help.",
            "short",
            (
                Query(
                    f"kube_horizontalpodautoscaler_status_current_replicas{{{SPACE}}}",
                    "{{horizontalpodautoscaler}}, now",
                ),
                Query(
                    f"kube_horizontalpodautoscaler_spec_min_replicas{{{SPACE}}}", "{{horizontalpodautoscaler}}, fewest"
                ),
                Query(
                    f"kube_horizontalpodautoscaler_spec_max_replicas{{{SPACE}}}", "{{horizontalpodautoscaler}}, most"
                ),
            ),
        ),
        Panel(
            "targets",
            "Targets that answer the scraper",
            "Share of the pods and nodes whose metrics could be read.",
            "percentunit",
            (Query("avg by (job) (up)", "{{job}}"),),
            steps=below(0.5, 1),
            most=1,
        ),
    ),
)
RESOURCES = Row(
    "Resources of containers",
    (
        Panel(
            "pod_cpu",
            "CPU",
            "Cores in use by pod. The autoscaler aims at 60 % of what pods ask for.",
            "short",
            (Query(f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{CONTAINER}}}{RATE}))", "{{pod}}"),),
        ),
        Panel(
            "pod_memory",
            "Memory, of the limit",
            "At 100 % the container is killed.",
            "percentunit",
            (
                Query(
                    f"sum by (pod) (container_memory_working_set_bytes{{{CONTAINER}}})"
                    f" / sum by (pod) (container_spec_memory_limit_bytes{{{CONTAINER}}} > 0)",
                    "{{pod}}",
                ),
            ),
            steps=above(0.8, 0.95),
            most=1,
        ),
        Panel(
            "throttled",
            "CPU held back",
            "Share of the scheduler's periods in which a limit stopped the container.",
            "percentunit",
            (
                Query(
                    f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{CONTAINER}}}{RATE}))"
                    f" / sum by (pod) (rate(container_cpu_cfs_periods_total{{{CONTAINER}}}{RATE}))",
                    "{{pod}}",
                ),
            ),
            steps=above(0.1, 0.25),
        ),
        Panel(
            "pod_disk",
            "Disk of containers",
            "Bytes in the writable layer; a pod above its limit is evicted.",
            "bytes",
            (Query(f"sum by (pod) (container_fs_usage_bytes{{{CONTAINER}}})", "{{pod}}"),),
        ),
        Panel(
            "pod_network",
            "Network",
            "Bytes received and sent per second, all pods of the namespace.",
            "Bps",
            (
                Query(
                    f"sum by (namespace) (rate(container_network_receive_bytes_total{{{SPACE}}}{RATE}))",
                    "{{namespace}}, in",
                ),
                Query(
                    f"sum by (namespace) (rate(container_network_transmit_bytes_total{{{SPACE}}}{RATE}))",
                    "{{namespace}}, out",
                ),
            ),
        ),
        Panel(
            "nodes",
            "Nodes in trouble",
            "Nodes that are not ready, or short of memory, disk or process numbers.",
            "short",
            (
                Query(
                    'sum by (condition) (kube_node_status_condition{condition=~".*Pressure",status="true"})',
                    "{{condition}}",
                ),
                Query('sum(kube_node_status_condition{condition="Ready",status!="true"})', "not ready"),
            ),
            steps=above(1, 2),
        ),
    ),
)
INFRASTRUCTURE = Board(
    "tecnocursos-infrastructure",
    "TecnoCursos / Infrastructure",
    "What the service runs on. Thresholds of AWS's services are those of their alarms.",
    (PODS, RESOURCES, DATABASE, CACHE, QUEUE, BALANCER, EDGE, CLUSTER),
    (
        Variable("namespace", "Namespace", "label_values(kube_pod_status_phase, namespace)", first="tecnocursos"),
        *VARIABLES,
    ),
)
