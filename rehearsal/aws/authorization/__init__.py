"""Would AWS allow this call, and why? One evaluator of IAM for everything that asks.

`document` reads policies, `statements`, `conditions` and `matching` compare, `caller` says who asks for what,
`decision` follows AWS's order, `trust` hands out sessions of roles, `account` reads all of it from a graph.

Not judged: ACLs, and which condition keys a service really sends. What a call's context holds is told by who asks.
"""
