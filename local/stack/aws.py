"""How to reach the local AWS."""

import secrets
from dataclasses import dataclass, field

import boto3

REGION = "ap-south-1"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Where the local AWS answers, and the keys of an administrator there, who may do everything."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str = REGION

    def session(self) -> boto3.Session:
        """An administrator's session; its clients need `endpoint_url` beside."""
        return boto3.Session(self.access_key_id, self.secret_access_key, region_name=self.region)


def new_local_aws(port: int) -> LocalAws:
    """One on that loopback port, with new keys, shaped like AWS's own so that a tool that checks their shape does."""
    return LocalAws(f"http://127.0.0.1:{port}", "AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))
