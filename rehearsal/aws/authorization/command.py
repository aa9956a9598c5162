"""`python -m rehearsal authorize`: would the account that these graphs declare allow a call, and why?"""

import argparse
import sys
from pathlib import Path

from rehearsal.aws.authorization.account import Account, load
from rehearsal.aws.authorization.caller import Caller
from rehearsal.errors import RehearsalError


def main(argv: list[str]) -> int:
    """0 allowed, 1 refused, 2 not understood."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal authorize", description="Would AWS allow this call? Judged by the declared policies."
    )
    parser.add_argument("graphs", nargs="+", type=Path, help="committed graphs (tests/golden) or stack exports")
    parser.add_argument("--as", dest="caller", required=True, metavar="CALLER",
                        help="a role's name or ARN, or a service such as cloudfront.amazonaws.com")  # fmt: skip
    parser.add_argument("--action", required=True, help="such as s3:GetObject")
    parser.add_argument("--resource", default="*", help="ARN (default: an action without resources)")
    parser.add_argument("--context", action="append", default=[], metavar="KEY=VALUE",
                        help="a condition key of the request; repeat for more keys")  # fmt: skip
    options = parser.parse_args(argv)
    given = {"aws:SecureTransport": "true"} | dict(text.partition("=")[::2] for text in options.context)
    try:
        account = load(options.graphs)
        decision = account.decide(_caller(account, options.caller), options.action, options.resource, given)
    except (RehearsalError, ValueError) as error:
        sys.stderr.write(f"authorize: {error}\n")
        return 2
    sys.stdout.write(f"{decision.reason}\n")
    return 0 if decision.allowed else 1


def _caller(account: Account, text: str) -> Caller:
    if text.endswith(".amazonaws.com"):
        return Caller.service(text)
    role = account.role(text)
    return Caller.session(role.arn, tags=role.tags)
