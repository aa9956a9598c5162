"""How are the rules run? Model of a resource, vocabulary of checks, evaluation, exemptions, protocol."""
