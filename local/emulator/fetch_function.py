"""Fetches a deployed function: the archives and settings that the local AWS's Lambda service holds."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from local.stack.local_aws import LocalAws


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """`task_root` is the content of /var/task on Lambda, `layers` that of /opt.

    `environment` has the function's own variables and, as on Lambda, the region and the keys of its role. In addition
    it has the address of the local AWS.
    """

    name: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    task_root: Path
    layers: Path
    environment: Mapping[str, str] = field(repr=False)


def fetch_function(aws: LocalAws, name: str, folder: Path) -> DeployedFunction:
    """Fetch a function and its layers from the local AWS into `folder`."""
    functions = aws.session().client("lambda", endpoint_url=aws.endpoint_url)
    function = functions.get_function(FunctionName=name)
    configuration = function["Configuration"]
    task_root, layers = folder / "task", folder / "opt"
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        _unpack(http, function["Code"]["Location"], task_root)
        for layer in configuration.get("Layers", []):
            version = functions.get_layer_version_by_arn(Arn=layer["Arn"])
            _unpack(http, version["Content"]["Location"], layers)
    functions.close()
    return DeployedFunction(
        name=name,
        handler=configuration["Handler"],
        timeout_seconds=configuration["Timeout"],
        memory_mb=configuration["MemorySize"],
        task_root=task_root,
        layers=layers,
        environment={**configuration["Environment"]["Variables"], **_aws_environment(aws, configuration["Role"])},
    )


def _unpack(http: urllib3.PoolManager, url: str, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(http.request("GET", url).data)) as archive:
        archive.extractall(folder)


def _aws_environment(aws: LocalAws, role: str) -> dict[str, str]:
    sts = aws.session().client("sts", endpoint_url=aws.endpoint_url)
    keys = sts.assume_role(RoleArn=role, RoleSessionName="emulator")["Credentials"]
    sts.close()
    return {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
