"""What differs between environments: settings, and the program that wires components together."""
