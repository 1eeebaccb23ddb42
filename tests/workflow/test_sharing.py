"""Results go through a folder or S3 to a colleague: what arrives, what does not, and what is said about trouble."""

import json
from pathlib import Path

import pytest
from clone import Clone
from ruamel.yaml import YAML
from storage import BUCKET, Bucket, Folder, Storage, isolate, layout

pytestmark = pytest.mark.slow

UP_TO_DATE = "Data and pipelines are up to date."


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A remote's place, empty."""
    return Folder(tmp_path / "remote") if request.param == "folder" else request.getfixturevalue("bucket")


def share(clone: Clone, url: str, *, verify: bool = True) -> None:
    """Set up a remote as docs/sharing.md does, and push."""
    clone.run("dvc", "remote", "add", "--default", "storage", url)
    if verify:
        clone.run("dvc", "remote", "modify", "storage", "verify", "true")
    clone.commit("remote")
    clone.run("dvc", "push")


def hash_of(clone: Clone, output: str) -> str:
    """The name of an output's object; that of a folder's list of files ends with ".dir"."""
    stages = YAML().load(clone.path / "dvc.lock")["stages"].values()
    return next(out["md5"] for stage in stages for out in stage["outs"] if out["path"] == output)


def content_of(clone: Clone, oid: str) -> bytes:
    """An object in the clone's cache."""
    return (clone.path / ".dvc/cache" / layout(oid)).read_bytes()


def member_of(clone: Clone, output: str) -> str:
    """The object of a folder's first file."""
    return json.loads(content_of(clone, hash_of(clone, output)))[0]["md5"]


def contents(output: Path) -> dict[str, bytes]:
    """A file's content, or that of all files of a folder but Snakemake's time stamp."""
    return {path.name: path.read_bytes() for path in [output, *output.rglob("[!.]*")] if path.is_file()}


def flipped(content: bytes) -> bytes:
    """The same with one bit of its middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("storage", ["folder"], indirect=True)
def test_a_pulled_clone_has_nothing_to_do(clone: Clone, storage: Storage, tmp_path: Path) -> None:
    # Of one pulled from a bucket test_docs.py says the same.
    share(clone, storage.url)
    colleague = clone.git_clone(tmp_path / "colleague")
    assert colleague.stale() >= {"bundle", "check_params", "ensemble"}
    colleague.run("dvc", "pull")
    colleague.assert_neither_engine_has_anything_to_do()
    assert not colleague.run("git", "status", "--short")
    colleague.edit_params("ensemble", {"bootstrap_samples": 150})
    assert colleague.assert_engines_agree() == {"bundle", "check_params", "ensemble", "report"}


@pytest.mark.parametrize("storage", ["folder"], indirect=True)
def test_without_verify_damage_goes_unnoticed(clone: Clone, storage: Storage, tmp_path: Path) -> None:
    # Why docs/sharing.md has `verify` in the set-up; where DVC comes to look by default, that line may go.
    share(clone, storage.url, verify=False)
    oid = hash_of(clone, "results/species_metrics.csv")
    damaged = flipped(content_of(clone, oid))
    storage.write(oid, damaged)
    colleague = clone.git_clone(tmp_path / "colleague")
    colleague.run("dvc", "pull")
    assert (colleague.path / "results/species_metrics.csv").read_bytes() == damaged
    assert colleague.run("dvc", "status").strip() == UP_TO_DATE


@pytest.mark.parametrize(
    ("storage", "output"),
    [("folder", "results/models/first/small_cnn/0.weights.h5"), ("bucket", "data/spectrograms/train")],
    indirect=["storage"],
)
def test_a_damaged_object_never_becomes_an_output(clone: Clone, storage: Storage, output: str, tmp_path: Path) -> None:
    share(clone, storage.url)
    is_folder = (clone.path / output).is_dir()
    oid = member_of(clone, output) if is_folder else hash_of(clone, output)
    whole = content_of(clone, oid)
    storage.write(oid, flipped(whole))
    colleague = clone.git_clone(tmp_path / "colleague")
    said = colleague.run("dvc", "pull", "--verbose", fails=True)
    # The model has a copy of the weights, and may be among them.
    targets = said.split("failed to pull data from the cloud - Checkout failed for following targets:\n")[1]
    assert output in targets.splitlines()
    assert f"corrupted cache file '{colleague.path / '.dvc/cache' / layout(oid)}'" in said
    assert not (colleague.path / output).exists()
    assert not (colleague.path / ".dvc/cache" / layout(oid)).exists()

    # DVC takes what bears an object's name for the object: to push again mends nothing, to copy it there does.
    assert "Everything is up to date" in clone.run("dvc", "push")
    colleague.run("dvc", "pull", fails=True)
    storage.write(oid, whole)
    colleague.run("dvc", "pull")
    assert colleague.run("dvc", "status").strip() == UP_TO_DATE
    assert contents(colleague.path / output) == contents(clone.path / output)


@pytest.mark.parametrize("storage", ["folder"], indirect=True)
def test_a_damaged_list_of_a_folders_files_is_noticed(clone: Clone, storage: Storage, tmp_path: Path) -> None:
    share(clone, storage.url)
    oid = hash_of(clone, "data/spectrograms/test")
    whole = content_of(clone, oid)
    colleague = clone.git_clone(tmp_path / "colleague")
    storage.write(oid, whole[:-2])
    assert f"object {oid} is corrupted" in colleague.run("dvc", "pull", fails=True)
    # One that can still be read is taken, so that the last command of docs/sharing.md says it, and both engines.
    storage.write(oid, whole.replace(b".npy", b".npz", 1))
    colleague.run("dvc", "pull")
    assert "not in cache:       data/spectrograms/test" in colleague.run("dvc", "status")
    assert "cache_spectrograms@test" in colleague.assert_engines_agree()
    storage.write(oid, whole)
    colleague.run("dvc", "pull")
    assert colleague.run("dvc", "status").strip() == UP_TO_DATE


@pytest.mark.parametrize("storage", ["bucket"], indirect=True)
def test_a_lost_object_is_named_and_comes_back_by_a_copy(clone: Clone, storage: Storage, tmp_path: Path) -> None:
    share(clone, storage.url)
    oid = member_of(clone, "data/spectrograms/train")
    storage.remove(oid)
    colleague = clone.git_clone(tmp_path / "colleague")
    assert f"failed to transfer '{oid}'" in colleague.run("dvc", "pull", fails=True)
    assert "Everything is up to date" in clone.run("dvc", "push")
    storage.write(oid, content_of(clone, oid))
    colleague.run("dvc", "pull")
    assert colleague.run("dvc", "status").strip() == UP_TO_DATE


@pytest.fixture
def small(tmp_path: Path) -> Clone:
    """A project with one file under DVC, where it matters what DVC says and not what the workflow does."""
    (tmp_path / "small").mkdir()
    small = Clone(tmp_path / "small")
    small.run("git", "init", "--quiet")
    small.run("dvc", "init", "--quiet")
    (small.path / "file").write_text("content")
    small.run("dvc", "add", "file")
    return small


def test_wrong_keys_get_nothing_and_it_says_so(
    small: Clone, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(small, bucket.url)
    before = bucket.names()
    assert len(before) == 1
    colleague = small.git_clone(tmp_path / "colleague")
    (small.path / "new").write_text("not in the bucket")
    small.run("dvc", "add", "new")
    for name, value, push, pull in (
        # Which of the server's answers is read depends on what DVC asks it first.
        ("AWS_ACCESS_KEY_ID", "wrong", "InvalidAccessKeyId", "Forbidden"),
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch", "Forbidden"),
        ("AWS_ACCESS_KEY_ID", "", "Unable to locate credentials", "Unable to locate credentials"),
    ):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert push in small.run("dvc", "push", fails=True)
            assert pull in colleague.run("dvc", "pull", fails=True)
        assert bucket.names() == before
        assert not (colleague.path / "file").exists()


def test_a_server_that_does_not_answer_is_named(small: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    small.run("dvc", "remote", "add", "--default", "storage", f"s3://{BUCKET}/dawnchorus")
    # Nothing listens on the port that is reserved for discarding.
    small.run("dvc", "remote", "modify", "storage", "endpointurl", "http://127.0.0.1:9")
    small.run("rm", "-r", "file", ".dvc/cache")
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:9/' in small.run("dvc", "pull", fails=True)


@pytest.mark.parametrize("place", ["file", "local"])
def test_keys_and_server_may_lie_outside_the_environment(
    clone: Clone, bucket: Bucket, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = {name.lower(): value for name, value in bucket.keys.items()}
    for name in bucket.environment:
        monkeypatch.delenv(name)
    if place == "file":
        lines = "".join(f"{name} = {value}\n" for name, value in keys.items())
        (tmp_path / "credentials").write_text(f"[default]\n{lines}")
    clone.run("dvc", "remote", "add", "--default", "storage", bucket.url)
    clone.run("dvc", "remote", "modify", "storage", "endpointurl", bucket.endpoint)
    clone.commit("remote")
    if place == "local":
        for name, value in keys.items():
            clone.run("dvc", "remote", "modify", "--local", "storage", name.removeprefix("aws_"), value)
    clone.run("dvc", "push")
    assert hash_of(clone, "results/species_metrics.csv") in bucket.names()
    # Git has nothing of the keys, and would not take them.
    clone.run("git", "add", "--all")
    assert not clone.run("git", "status", "--short")
    clone.run("git", "grep", "--quiet", keys["aws_secret_access_key"], fails=True)


def test_ones_own_recordings_are_pushed_only_where_dvc_has_them(with_own_recordings: Clone, tmp_path: Path) -> None:
    clone = with_own_recordings.copy(tmp_path / "clone")
    storage = Folder(tmp_path / "remote")
    share(clone, storage.url)
    recording = clone.run("md5sum", "data/own/test/own.wav").split()[0]
    assert hash_of(clone, "results/species_metrics.csv") in storage.names()
    assert recording not in storage.names()
    assert not any(name.startswith("logs/") for name in clone.run("git", "ls-files").splitlines())
    assert "results/metrics.json" in clone.run("git", "ls-files").splitlines()

    (clone.path / ".git/info/exclude").unlink()
    clone.run("dvc", "add", "data/own")
    clone.commit("recordings")
    clone.run("dvc", "push")
    assert recording in storage.names()
    colleague = clone.git_clone(tmp_path / "colleague")
    colleague.run("dvc", "pull")
    assert (colleague.path / "data/own/test/own.wav").exists()
    colleague.assert_nothing_to_do()


def test_clones_on_one_machine_share_a_cache_but_no_files(clone: Clone, tmp_path: Path) -> None:
    share(clone, str(tmp_path / "remote"))
    colleagues = [clone.git_clone(tmp_path / name) for name in ("one", "other")]
    for colleague in colleagues:
        colleague.run("dvc", "cache", "dir", "--local", "../cache")
        colleague.run("dvc", "config", "--local", "cache.shared", "group")
    one, other = colleagues
    one.run("dvc", "pull")
    (tmp_path / "remote").rename(tmp_path / "gone")
    # All of it is in the cache already.
    other.run("dvc", "checkout")
    other.assert_nothing_to_do()
    outputs = [path for name in ("data/spectrograms", "results/models") for path in (other.path / name).rglob("*.*")]
    assert outputs
    for path in outputs:
        assert path.stat().st_nlink == 1
        assert not path.is_symlink()
    assert not (other.path / ".dvc/cache/files").exists()
    folders = [path for path in (tmp_path / "cache/files/md5").iterdir() if path.is_dir()]
    assert folders
    assert all(path.stat().st_mode & 0o2070 == 0o2070 for path in folders)
