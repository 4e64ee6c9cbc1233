"""Other timeouts for the deployed function and its queue, so that what a dead process held comes back within a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.stack.records import Stack


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of an invocation, and of the visibility of its messages: this is longer by more than the lease is, 10 seconds."""

    function_seconds: int
    visibility_seconds: int


SHORTER = Timeouts(15, 45)
"""In place of the template's 60 and 420."""


@contextmanager
def deployed_with(timeouts: Timeouts, stack: Stack) -> Iterator[None]:
    """Change them; when the block ends they are as they were."""
    session, function_name = stack.aws().session(), stack.outputs["RelayFunctionName"]
    queue_url = stack.outputs["IngressQueueUrl"]
    functions = session.client("lambda", endpoint_url=stack.endpoint_url)
    sqs = session.client("sqs", endpoint_url=stack.endpoint_url)
    before = Timeouts(
        functions.get_function_configuration(FunctionName=function_name)["Timeout"],
        int(
            sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])["Attributes"][
                "VisibilityTimeout"
            ]
        ),
    )

    def change(to: Timeouts) -> None:
        functions.update_function_configuration(FunctionName=function_name, Timeout=to.function_seconds)
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(to.visibility_seconds)})

    change(timeouts)
    try:
        yield
    finally:
        change(before)
        functions.close()
        sqs.close()
