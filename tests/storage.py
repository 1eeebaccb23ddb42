"""DVC remotes for tests: a folder, and a bucket on moto's S3 server in its own process."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest
import requests

REGION = "us-east-1"
BUCKET = "our-group"


def layout(oid: str) -> str:
    """The path of an object relative to a DVC remote or cache."""
    return f"files/md5/{oid[:2]}/{oid[2:]}"


class Storage(Protocol):
    """Direct access to a remote, without DVC."""

    @property
    def url(self) -> str:
        """The URL for `dvc remote add`."""

    def names(self) -> set[str]:
        """The ids of the objects in the remote."""

    def write(self, oid: str, content: bytes) -> None:
        """Overwrite an object."""

    def remove(self, oid: str) -> None:
        """Remove an object."""


@dataclass
class Folder:
    """A folder, such as a mounted network drive."""

    path: Path

    @property
    def url(self) -> str:
        """The URL for `dvc remote add`."""
        return str(self.path)

    def names(self) -> set[str]:
        """The ids of the objects in the remote."""
        return {path.parent.name + path.name for path in self.path.glob("files/md5/*/*")}

    def write(self, oid: str, content: bytes) -> None:
        """Overwrite an object and leave the file read-only, as a failing disk would."""
        file = self.path / layout(oid)
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        file.chmod(0o444)

    def remove(self, oid: str) -> None:
        """Remove an object."""
        (self.path / layout(oid)).unlink()


@dataclass
class Bucket:
    """A bucket on a server that requires the keys of its only user."""

    endpoint: str
    keys: dict[str, str]
    url: str = f"s3://{BUCKET}/dawnchorus"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that point S3 clients to the server."""
        return {"AWS_ENDPOINT_URL": self.endpoint, **self.keys}

    def _client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=self.keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=self.keys["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def names(self) -> set[str]:
        """The ids of the objects in the remote."""
        prefix = "dawnchorus/files/md5/"
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {entry["Key"].removeprefix(prefix).replace("/", "") for page in pages for entry in page["Contents"]}

    def write(self, oid: str, content: bytes) -> None:
        """Overwrite an object."""
        self._client().put_object(Bucket=BUCKET, Key=f"dawnchorus/{layout(oid)}", Body=content)

    def remove(self, oid: str) -> None:
        """Remove an object."""
        self._client().delete_object(Bucket=BUCKET, Key=f"dawnchorus/{layout(oid)}")


def isolate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Remove this machine's AWS settings and proxies from the environment, and put AWS's files into `folder`."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    # If neither the environment nor the files have keys, do not query the EC2 metadata service.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@contextmanager
def serve(folder: Path) -> Iterator[Bucket]:
    """Run a server with an empty bucket on a free port while the context is active. Its log goes to `folder`."""
    log = folder / "server.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as server:
        try:
            yield _with_one_user(_endpoint(server, log))
        finally:
            server.terminate()


def _endpoint(server: subprocess.Popen, log: Path) -> str:
    """The server's address. It logs the address as soon as it listens."""
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        address = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        if address:
            return address[1]
        time.sleep(0.05)
    raise RuntimeError(f"moto's server did not start:\n{log.read_text()}")


def _with_one_user(endpoint: str) -> Bucket:
    """Create the bucket and a user with full access. From then on the server rejects everyone else."""
    first: dict[str, str] = {"region_name": REGION, "endpoint_url": endpoint, "aws_access_key_id": "-",
                             "aws_secret_access_key": "-"}  # fmt: skip
    boto3.client("s3", **first).create_bucket(Bucket=BUCKET)
    iam = boto3.client("iam", **first)
    iam.create_user(UserName="colleague")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="colleague", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName="colleague")["AccessKey"]
    requests.post(f"{endpoint}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
    return Bucket(endpoint, {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]})
