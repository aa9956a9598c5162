"""What is built: one component per file, each with a frozen args class and typed outputs."""
