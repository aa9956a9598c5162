"""How long may a pod take to leave? Every wait between a pod's deletion and its end, and their sum, in one place."""

DEREGISTRATION_SECONDS = 30  # until the load balancer has stopped sending: the target group's deregistration delay
NOTICE_SECONDS = 10  # until the load balancer has heard that the pod leaves
PRE_STOP_SECONDS = NOTICE_SECONDS + DEREGISTRATION_SECONDS  # no request reaches a pod that has stopped listening
DRAIN_SECONDS = 20  # the service says that it is leaving and answers whoever still comes
STOP_SECONDS = 30  # the server ends what it has begun; service/http/server.py, a test compares
KILLED_AFTER_SECONDS = 10  # beyond all of these, so that nobody is killed who still ends

API_SECONDS = PRE_STOP_SECONDS + DRAIN_SECONDS + STOP_SECONDS + KILLED_AFTER_SECONDS
# A worker finishes its video if it can, else its lease frees it. A Spot node is taken two minutes after it is told.
WORKER_SECONDS = 120
