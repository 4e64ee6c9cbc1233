"""Runs the function in its own process, with every logger at the lowest level: `python -m` with one event per line.

As on Lambda with the log level DEBUG, or after a person has added `logging.basicConfig` to find a fault.
"""

import json
import logging
import sys
from types import SimpleNamespace

from sealed_relay.handler import lambda_handler

CONTEXT = SimpleNamespace(
    function_name="relay",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)


def main() -> None:
    """Handle each line of standard input as an event; log raised errors as the Lambda runtime would."""
    logging.basicConfig(level=logging.DEBUG)
    for line in sys.stdin:
        try:
            lambda_handler(json.loads(line), CONTEXT)  # type: ignore[arg-type]
        except Exception:
            logging.getLogger("runtime").exception("the handler raised")


if __name__ == "__main__":
    main()
