"""The address and the administrator's keys of the local AWS."""

import secrets
from dataclasses import dataclass, field

import boto3

REGION = "ap-south-1"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """The address of the local AWS, and the keys of its administrator, who may do everything."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str = REGION

    def session(self) -> boto3.Session:
        """Return an administrator's session. Its clients also need `endpoint_url`."""
        return boto3.Session(self.access_key_id, self.secret_access_key, region_name=self.region)


def new_local_aws(port: int) -> LocalAws:
    """Make one for a loopback port, with new keys. They have the form of AWS's keys, which some tools check."""
    return LocalAws(f"http://127.0.0.1:{port}", "AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))
