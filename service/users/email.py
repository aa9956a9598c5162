"""When are two e-mail addresses one? In lower case and one Unicode form: that is what is stored and looked for.

Case-folding would go too far: it takes straße@ for strasse@, another person's mailbox.
"""

import unicodedata

from email_validator import EmailNotValidError, validate_email


def deliverable(typed: str) -> str:
    """An address that mail can reach: no name server is asked, and SES takes plain letters before the @ only.

    Raises ValueError.
    """
    try:
        return validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False).normalized.lower()
    except EmailNotValidError:  # its words repeat what was refused
        raise ValueError("an e-mail address looks like name@example.com, with plain letters before the @") from None


def comparable(typed: str) -> str:
    """The same form of anything that somebody takes for an address."""
    try:
        return deliverable(typed)
    except ValueError:
        return unicodedata.normalize("NFC", typed.strip()).lower()
