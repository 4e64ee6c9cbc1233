"""Runs `sam build`, and a plain `sam deploy` of the real template to the local AWS."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.stack.errors import StackError
from local.stack.fingerprints import build_fingerprint
from local.stack.local_aws import LocalAws
from local.stack.paths import BUILD, ENVIRONMENTS, FUNCTIONS, REPOSITORY, StackFolder
from local.stack.processes import Started, stop
from local.stack.signals import signals_held

STACK_NAME = "sealed-relay-local"  # as in section `local` of samconfig.toml
_SAM = ENVIRONMENTS / "sam/bin/sam"
_ARTIFACTS_BUCKET = "sealed-relay-local-artifacts"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed CloudFormation stack: its outputs by name, and the physical ids of its resources by logical id."""

    outputs: Mapping[str, str]
    resources: Mapping[str, str]


def build(stack_folder: StackFolder) -> None:
    """Build the template's layer for this machine's Python, unless it is already built from the same sources."""
    fingerprint_file = BUILD / "fingerprint"  # sam empties this folder, so the file is gone after a failed build
    fingerprint = build_fingerprint()
    if fingerprint_file.exists() and fingerprint_file.read_text() == fingerprint:
        return
    # MiniStack runs the function under the Python of all environments here. Of these, `uv` has pip.
    python = str(ENVIRONMENTS / "uv/bin/python")
    for_this_machine = {"LAYER_PYTHON": python, "LAYER_COMPILER": python, "LAYER_TARGET": ""}
    # The caller's environment says where packages come from. Its PYTHONPATH belongs to another environment.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | for_this_machine
    _run(stack_folder, ["build", "--build-dir", str(BUILD)], environment)
    fingerprint_file.write_text(fingerprint)


def create_artifacts_bucket(aws: LocalAws) -> None:
    """Create the bucket that `deploy` uploads to."""
    s3 = aws.session().client("s3", endpoint_url=aws.endpoint_url)
    # Written out, because boto3's types allow only the names of the regions that need the constraint.
    s3.create_bucket(Bucket=_ARTIFACTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    s3.close()


def deploy(stack_folder: StackFolder, aws: LocalAws, gateway_base_url: str, **more_parameters: str) -> Deployed:
    """Deploy the built template, for the first time or again. Raise StackError if sam fails."""
    remove_compiled_modules()
    # Only the PATH of the caller's environment, so that no profile or key of a real AWS account is used.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(stack_folder.scratch),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "SAM_CLI_POLL_DELAY": "0.1",
    }
    # sam looks for its configuration next to the template, but the built template is in another folder.
    configuration = ["--config-file", str(REPOSITORY / "samconfig.toml"), "--config-env", "local"]
    what = ["--template-file", str(BUILD / "template.yaml")]
    where = ["--region", aws.region, "--s3-bucket", _ARTIFACTS_BUCKET]
    # MiniStack unpacks and imports the layer again for each instance of the function. On a laptop two instances, the
    # minimum on AWS, finish sooner than ten.
    values = [f"GatewayBaseUrl={gateway_base_url}", "MaximumConcurrency=2", "UrgentMaximumConcurrency=2"]
    values += [f"{name}={value}" for name, value in more_parameters.items()]
    parameters = ["--parameter-overrides", "Stage=local", "OnLocalAws=yes", "Egress=none", *values]
    _run(stack_folder, ["deploy", *configuration, *what, *where, *parameters], environment)
    return _deployed(aws)


def remove_compiled_modules(functions: Path = FUNCTIONS) -> None:
    """Remove what Python compiled beside the sources: sam uploads the folders of the functions as they are."""
    for folder in functions.rglob("__pycache__"):
        shutil.rmtree(folder, ignore_errors=True)


def _deployed(aws: LocalAws) -> Deployed:
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.endpoint_url)
    outputs = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["Outputs"]
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    cloudformation.close()
    return Deployed(
        {output["OutputKey"]: output["OutputValue"] for output in outputs},
        {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
    )


def _run(stack_folder: StackFolder, arguments: list[str], environment: Mapping[str, str]) -> None:
    log = stack_folder.logs / f"sam-{arguments[0]}.log"
    with log.open("wb") as output, signals_held():
        sam = subprocess.Popen(
            [_SAM, *arguments],
            cwd=REPOSITORY,
            env={**environment, "SAM_CLI_TELEMETRY": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started = Started("sam", sam.pid, psutil.Process(sam.pid).create_time())
    try:
        status = sam.wait()
    except BaseException:
        stop(started)  # with the programs that sam started
        sam.wait()
        raise
    if status != 0:
        raise StackError(f"sam {arguments[0]} failed: see {log}\n\n{_tail(log)}")


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
