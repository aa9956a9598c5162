"""What is allowed? One module per area: a rule is a pure function, its severity, reason and remedy are in the YAML."""
