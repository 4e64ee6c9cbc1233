"""Writes the variables for `sam local invoke --env-vars`: the deployed function's, and the local AWS's address."""

import json

from local.stack.paths import REPOSITORY
from local.stack.stack_files import Stack

ENV_VARS_FILE = REPOSITORY / "events/local-env.json"


def write_env_vars(stack: Stack) -> None:
    """Write the variables of the deployed function, by its logical id, as sam expects. None of them is a secret."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url)
    configuration = functions.get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])
    functions.close()
    variables = {**configuration["Environment"]["Variables"], "AWS_ENDPOINT_URL": stack.endpoint_url}
    ENV_VARS_FILE.write_text(json.dumps({"RelayFunction": variables}, indent=2) + "\n")


def remove_env_vars() -> None:
    """Remove the file: without the stack it is of no use."""
    ENV_VARS_FILE.unlink(missing_ok=True)
