"""How do the pods really run? `KUBERNETES=live`: under bubblewrap, against stand-ins that enforce as AWS does.

`network` gives each pod a network of its own, `pods` is the node's agent, `stand_ins` are database, cache and AWS's
endpoints, `door` is CloudFront and the load balancer. Two processes run it all: the region (`region`), which follows
the world, and one agent per cluster (`pods.agent`). Nothing here knows a program: it reads world and API server.
"""
