"""What runs: the FastAPI and SQLModel application."""
