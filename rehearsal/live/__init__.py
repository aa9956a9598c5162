"""How do the pods really run? Against stand-ins that enforce what AWS enforces."""
