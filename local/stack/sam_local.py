"""Variables for `sam local invoke --env-vars`: the function as it is deployed here, pointed to the local AWS."""

import json

from local.stack.home import REPOSITORY
from local.stack.records import Stack

ENV_VARS_FILE = REPOSITORY / "events/local-env.json"


def write_env_vars(stack: Stack) -> None:
    """Write the variables of the deployed function, none of them a secret; sam takes them by the logical id."""
    functions = stack.aws().session().client("lambda", endpoint_url=stack.endpoint_url)
    configuration = functions.get_function_configuration(FunctionName=stack.outputs["RelayFunctionName"])
    functions.close()
    variables = {**configuration["Environment"]["Variables"], "AWS_ENDPOINT_URL": stack.endpoint_url}
    ENV_VARS_FILE.write_text(json.dumps({"RelayFunction": variables}, indent=2) + "\n")


def remove_env_vars() -> None:
    """They are of no use without the stack."""
    ENV_VARS_FILE.unlink(missing_ok=True)
