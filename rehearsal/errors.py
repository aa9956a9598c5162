"""What does the rehearsal say when it cannot go on? One line: what is missing or wrong, and the remedy."""


class RehearsalError(Exception):
    """A problem a person can solve; the message is one line and names the remedy."""
