"""Where results come from: the files that a note vouches for."""

from pathlib import Path

from dawnchorus.reporting.provenance import files_below, md5


def test_folders_with_a_dot_in_their_name_are_no_files(tmp_path: Path) -> None:
    for name in ("2024.06.11/rec.npy", "oof.csv", ".writing.test.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)] == ["2024.06.11/rec.npy", "oof.csv"]
    assert len(md5(files_below(tmp_path))) == 32
