"""AWS's own DynamoDB engine, DynamoDB Local 1.25, as a process on a loopback port.

The npm package `amplify-dynamodb-simulator` ships it. `npm pack` fetches that one package: `npm ci` would install 282
more, which only wrap the jar. The package is checked against its hash and unpacked inside the checkout.
"""

import hashlib
import os
import re
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from local.free_ports import free_ports
from local.stack.local_aws import LocalAws, new_local_aws
from local.stack.paths import REPOSITORY
from sealed_relay.aws.dynamodb import DynamoDBTable
from sealed_relay.ports import KEY, Item
from sealed_relay_operations.aws.dynamodb import PAUSES_INDEX
from sealed_relay_operations.pauses import LISTED_AS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PACKAGE = "amplify-dynamodb-simulator"
_VERSION = "2.9.30"
_SHA512 = (
    "c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c52804398"
    "36665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1"
)
_BUILD = REPOSITORY / ".local/build"
_INSTALLED = _BUILD / f"dynamodb-local-{_VERSION}"
_SERVER = Path(__file__).with_suffix(".xml")
_MIN_JAVA = 17
_INSTALL_SECONDS = 300
_READY_SECONDS = 60
_STOP_SECONDS = 10
_POLL_SECONDS = 0.05


class DynamoDBLocalError(Exception):
    """DynamoDB Local could not be installed or did not start; the text says why."""


def what_is_missing() -> str:
    """What this machine lacks to run DynamoDB Local, in words; empty where it lacks nothing."""
    if not _INSTALLED.exists() and shutil.which("npm") is None:
        return "npm is not installed"
    java = shutil.which("java")
    if java is None:
        return "Java is not installed"
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - from PATH
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version[1]) < _MIN_JAVA:
        return f"Java is older than {_MIN_JAVA}, or does not run"
    return ""


@contextmanager
def running_dynamodb_local(log: Path) -> Iterator[LocalAws]:
    """Run the server, its output going to `log`, and yield its address and keys.

    Installs it first where it is not installed. Raises DynamoDBLocalError.
    """
    _install()
    [port] = free_ports(1)
    aws = new_local_aws(port)
    with log.open("wb") as output:
        server = subprocess.Popen(_command(port), cwd=_INSTALLED, env=_ENVIRONMENT, stdout=output, stderr=output)  # noqa: S603 - from PATH
    try:
        _wait_until_ready(server, aws.endpoint_url, log)
        yield aws
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def new_table(client: "DynamoDBClient") -> Iterator[str]:
    """Make an empty table with the relay's key and its index, yield its name, and delete it."""
    name = create_table(client)
    yield name
    client.delete_table(TableName=name)


def create_table(client: "DynamoDBClient", *, has_stream: bool = False) -> str:
    """Make an empty table with the relay's key and its index, and with the template's stream if asked; its name."""
    name = f"test-{secrets.token_hex(4)}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (KEY, LISTED_AS)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": PAUSES_INDEX,
                "KeySchema": [{"AttributeName": LISTED_AS, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        if has_stream
        else {"StreamEnabled": False},
    )
    return name


class InspectedTable(DynamoDBTable):
    """The adapter over a new table of DynamoDB Local, with the looks inside that `InMemoryTable` allows to tests."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._local = client
        self._table_name = create_table(client, has_stream=True)
        super().__init__(client, self._table_name)

    @property
    def items(self) -> dict[str, Item]:
        """A copy of what the table holds, by key."""
        pages = self._local.get_paginator("scan").paginate(TableName=self._table_name, ProjectionExpression=KEY)
        return self.read([str(item[KEY]["S"]) for page in pages for item in page["Items"]])

    def put(self, item: Item) -> None:
        """Write an item, whether one has the key or not."""
        self.remove(str(item[KEY]))
        self.insert([item])

    def remove(self, key: str) -> None:
        """Remove an item, as TTL or a person may."""
        self._local.delete_item(TableName=self._table_name, Key={KEY: {"S": key}})


# Nothing of the caller's environment. Without this variable the server reports its use to AWS.
_ENVIRONMENT = {"PATH": os.defpath, "DDB_LOCAL_TELEMETRY": "0"}


def _command(port: int) -> list[str]:
    """Jetty's own starter with a configuration: the jar's `main` would listen on all interfaces."""
    [xml_jar] = (_INSTALLED / "DynamoDBLocal_lib").glob("jetty-xml-*.jar")
    return [
        str(shutil.which("java")),
        "-Djava.library.path=DynamoDBLocal_lib",
        "-Dorg.eclipse.jetty.xml.XmlParser.Validating=false",
        "-cp",
        f"DynamoDBLocal.jar{os.pathsep}{xml_jar}",
        "org.eclipse.jetty.xml.XmlConfiguration",
        str(_SERVER),
        f"port={port}",
    ]


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager(retries=False, timeout=5) as http:
        while not _answers(http, url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise DynamoDBLocalError(f"DynamoDB Local did not start: see {log.name}")
            time.sleep(_POLL_SECONDS)


def _answers(http: urllib3.PoolManager, url: str) -> bool:
    try:
        http.request("GET", url)
    except urllib3.exceptions.HTTPError:
        return False
    return True


def _install() -> None:
    if _INSTALLED.exists():
        return
    _BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILD) as folder:
        package = _downloaded(Path(folder))
        with tarfile.open(package) as archive:
            archive.extractall(folder, filter="data")
        try:
            (Path(folder) / "package/emulator").rename(_INSTALLED)
        except OSError:
            if not _INSTALLED.exists():  # otherwise another test run was faster
                raise


def _downloaded(folder: Path) -> Path:
    command = ["npm", "pack", f"{_PACKAGE}@{_VERSION}", f"--pack-destination={folder}", f"--cache={folder / 'cache'}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)  # noqa: S603 - a constant
    if answer.returncode:
        raise DynamoDBLocalError(f"npm could not fetch {_PACKAGE} {_VERSION}: {answer.stderr}")
    package = folder / f"{_PACKAGE}-{_VERSION}.tgz"
    if hashlib.sha512(package.read_bytes()).hexdigest() != _SHA512:
        raise DynamoDBLocalError(f"{_PACKAGE} {_VERSION} does not have the hash that was committed")
    return package
