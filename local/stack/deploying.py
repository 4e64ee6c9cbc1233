"""`sam build` and a plain `sam deploy` of the real template, with the local AWS in place of AWS."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack.aws import LocalAws
from local.stack.errors import StackError
from local.stack.home import BUILD, ENVIRONMENTS, REPOSITORY, Home
from local.stack.sources import build_fingerprint

STACK_NAME = "sealed-relay-local"  # as in section `local` of samconfig.toml
_SAM = ENVIRONMENTS / "sam/bin/sam"
_ARTIFACTS_BUCKET = "sealed-relay-local-artifacts"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed CloudFormation stack: its outputs, and the physical ids of its resources by logical id."""

    outputs: Mapping[str, str]
    resources: Mapping[str, str]


def build(home: Home) -> None:
    """Build the template's layer for this machine's own Python, unless it was built from the same sources before."""
    fingerprint_file = BUILD / "fingerprint"  # emptied by sam, and so gone after a build that failed half way
    fingerprint = build_fingerprint()
    if fingerprint_file.exists() and fingerprint_file.read_text() == fingerprint:
        return
    # MiniStack runs the function under the Python that all environments are made from; this one of them has pip.
    python = str(ENVIRONMENTS / "uv/bin/python")
    for_this_machine = {"LAYER_PYTHON": python, "LAYER_COMPILER": python, "LAYER_TARGET": ""}
    # The caller's environment says where packages come from; its PYTHONPATH is for other environments.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | for_this_machine
    _run(home, ["build", "--build-dir", str(BUILD)], environment)
    fingerprint_file.write_text(fingerprint)


def create_artifacts_bucket(aws: LocalAws) -> None:
    """Make the bucket that `deploy` uploads to."""
    s3 = aws.session().client("s3", endpoint_url=aws.endpoint_url)
    # boto3's types list the regions that need the constraint; this is one of them.
    s3.create_bucket(Bucket=_ARTIFACTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.close()


def deploy(home: Home, aws: LocalAws, gateway_base_url: str) -> Deployed:
    """Deploy what was built, for the first time or again."""
    # Nothing of the caller's environment but the PATH: no profile or key of a real AWS account can get in.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home.scratch),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "SAM_CLI_POLL_DELAY": "0.1",
    }
    # sam looks for its configuration beside the template, and the built template is elsewhere.
    configuration = ["--config-file", str(REPOSITORY / "samconfig.toml"), "--config-env", "local"]
    what = ["--template-file", str(BUILD / "template.yaml")]
    where = ["--region", aws.region, "--s3-bucket", _ARTIFACTS_BUCKET]
    # MiniStack unpacks the layer and imports it anew for each instance of the function: on a laptop two of them, the
    # fewest that AWS allows, are done sooner than ten.
    values = [f"GatewayBaseUrl={gateway_base_url}", "MaximumConcurrency=2"]
    parameters = ["--parameter-overrides", "Stage=local", "OnLocalAws=yes", "Egress=none", *values]
    _run(home, ["deploy", *configuration, *what, *where, *parameters], environment)
    return _deployed(aws)


def _deployed(aws: LocalAws) -> Deployed:
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.endpoint_url)
    outputs = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["Outputs"]
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    cloudformation.close()
    return Deployed(
        {output["OutputKey"]: output["OutputValue"] for output in outputs},
        {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
    )


def _run(home: Home, arguments: list[str], environment: Mapping[str, str]) -> None:
    log = home.logs / f"sam-{arguments[0]}.log"
    with log.open("wb") as output:
        finished = subprocess.run(
            [_SAM, *arguments],
            cwd=REPOSITORY,
            env={**environment, "SAM_CLI_TELEMETRY": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if finished.returncode != 0:
        raise StackError(f"sam {arguments[0]} failed: see {log}\n\n{_tail(log)}")


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
