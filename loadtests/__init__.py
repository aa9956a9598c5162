"""How much it carries: scenarios and thresholds."""
