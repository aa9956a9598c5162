"""How long may a pod take to leave? Every wait between a pod's deletion and its end, and their sum, in one place."""

DEREGISTRATION_SECONDS = 30  # until the load balancer has stopped sending: the target group's deregistration delay
NOTICE_SECONDS = 10  # until the load balancer has heard that the pod leaves
PRE_STOP_SECONDS = NOTICE_SECONDS + DEREGISTRATION_SECONDS  # no request reaches a pod that has stopped listening
DRAIN_SECONDS = 5  # the service closes kept connections and answers whoever still comes: nobody should, by now
STOP_SECONDS = 30  # it ends what it has begun
KILLED_AFTER_SECONDS = 10  # beyond all of these, so that nobody is killed who still ends

API_SECONDS = PRE_STOP_SECONDS + DRAIN_SECONDS + STOP_SECONDS + KILLED_AFTER_SECONDS
# A worker finishes its video if it can, else its lease frees it. A Spot node is taken two minutes after it is told.
WORKER_SECONDS = 120
