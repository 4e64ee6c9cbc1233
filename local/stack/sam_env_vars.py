"""Writes the variables for `sam local invoke --env-vars`: the deployed function's, and the local AWS's address.

`sam local invoke` runs the function in a container, which knows this machine by the name host.docker.internal.
"""

import json
import re
from pathlib import Path

from local.stack.paths import REPOSITORY
from local.stack.stack_files import Stack

ENV_VARS_FILE = REPOSITORY / "events/local-env.json"

_LOOPBACK_URL = re.compile(r"^(https?://)(?:127\.0\.0\.1|localhost)(?=[:/]|$)")


def write_env_vars(stack: Stack, path: Path = ENV_VARS_FILE) -> None:
    """Write the variables of the deployed function, by its logical id, as sam expects. None of them is a secret."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url)
    configuration = functions.get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])
    functions.close()
    variables = {**configuration["Environment"]["Variables"], "AWS_ENDPOINT_URL": stack.endpoint_url}
    seen_from_a_container = {name: _LOOPBACK_URL.sub(r"\1host.docker.internal", v) for name, v in variables.items()}
    path.write_text(json.dumps({"RelayFunction": seen_from_a_container}, indent=2) + "\n")


def remove_env_vars() -> None:
    """Remove the file: without the stack it is of no use."""
    ENV_VARS_FILE.unlink(missing_ok=True)
