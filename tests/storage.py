"""Where DVC remotes lie in tests: a folder, and a bucket on moto's S3 server in a process of its own."""

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
    """Where DVC keeps an object below a remote or a cache."""
    return f"files/md5/{oid[:2]}/{oid[2:]}"


class Storage(Protocol):
    """What tests ask of a remote besides DVC."""

    @property
    def url(self) -> str:
        """What `dvc remote add` is given."""

    def names(self) -> set[str]:
        """The objects that lie there."""

    def write(self, oid: str, content: bytes) -> None:
        """Put content in an object's place."""

    def remove(self, oid: str) -> None:
        """Take an object away."""


@dataclass
class Folder:
    """A folder, such as a mounted network drive."""

    path: Path

    @property
    def url(self) -> str:
        """What `dvc remote add` is given."""
        return str(self.path)

    def names(self) -> set[str]:
        """The objects that lie there."""
        return {path.parent.name + path.name for path in self.path.glob("files/md5/*/*")}

    def write(self, oid: str, content: bytes) -> None:
        """Put content in an object's place; like a failing disk, it leaves the file read-only."""
        file = self.path / layout(oid)
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        file.chmod(0o444)

    def remove(self, oid: str) -> None:
        """Take an object away."""
        (self.path / layout(oid)).unlink()


@dataclass
class Bucket:
    """A bucket on a server that wants the keys of its one user."""

    endpoint: str
    keys: dict[str, str]
    url: str = f"s3://{BUCKET}/dawnchorus"

    @property
    def environment(self) -> dict[str, str]:
        """What leads any S3 client there."""
        return {"AWS_ENDPOINT_URL": self.endpoint, **self.keys}

    def _client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION,
            aws_access_key_id=self.keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=self.keys["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def names(self) -> set[str]:
        """The objects that lie there."""
        prefix = "dawnchorus/files/md5/"
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {entry["Key"].removeprefix(prefix).replace("/", "") for page in pages for entry in page["Contents"]}

    def write(self, oid: str, content: bytes) -> None:
        """Put content in an object's place."""
        self._client().put_object(Bucket=BUCKET, Key=f"dawnchorus/{layout(oid)}", Body=content)

    def remove(self, oid: str) -> None:
        """Take an object away."""
        self._client().delete_object(Bucket=BUCKET, Key=f"dawnchorus/{layout(oid)}")


def isolate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Take this machine's AWS settings and proxies from the environment; AWS's files lie in `folder`."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    # Nobody is asked for keys that the environment and the files do not have.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@contextmanager
def serve(folder: Path) -> Iterator[Bucket]:
    """Start a server on a free port with an empty bucket; `folder` gets its log. It ends with the context."""
    log = folder / "server.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as server:
        try:
            yield _with_one_user(_endpoint(server, log))
        finally:
            server.terminate()


def _endpoint(server: subprocess.Popen, log: Path) -> str:
    """The server's address, which it logs once it listens."""
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        address = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        if address:
            return address[1]
        time.sleep(0.05)
    raise RuntimeError(f"moto's server did not start:\n{log.read_text()}")


def _with_one_user(endpoint: str) -> Bucket:
    """Make the bucket and a user who may do all with it; from then on the server turns everyone else away."""
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
