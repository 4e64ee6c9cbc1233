"""Shorter timeouts for the deployed function and its queues: messages of a killed process come back within the run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.stack.stack_files import Stack


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeout of the function, and visibility timeout of its two queues.

    The second must exceed the first by more than 10 seconds: a lease ends 10 seconds after the function's timeout.
    """

    function_seconds: int
    visibility_seconds: int


SHORTER = Timeouts(15, 45)
"""The template has 60 and 420."""


@contextmanager
def changed_timeouts(timeouts: Timeouts, stack: Stack) -> Iterator[None]:
    """Set these timeouts, and restore the former ones when the block ends."""
    session, function_name = stack.aws().session(), stack.outputs["RelayFunctionName"]
    queue_urls = [stack.outputs["IngressQueueUrl"], stack.outputs["UrgentQueueUrl"]]
    functions = session.client("lambda", endpoint_url=stack.endpoint_url)
    sqs = session.client("sqs", endpoint_url=stack.endpoint_url)
    before = Timeouts(
        functions.get_function_configuration(FunctionName=function_name)["Timeout"],
        int(
            sqs.get_queue_attributes(QueueUrl=queue_urls[0], AttributeNames=["VisibilityTimeout"])["Attributes"][
                "VisibilityTimeout"
            ]
        ),
    )

    def change(to: Timeouts) -> None:
        functions.update_function_configuration(FunctionName=function_name, Timeout=to.function_seconds)
        for queue_url in queue_urls:
            sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(to.visibility_seconds)})

    change(timeouts)
    try:
        yield
    finally:
        change(before)
        functions.close()
        sqs.close()
