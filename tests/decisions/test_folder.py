"""Run folders appear whole, are replaced whole, and tell when they were touched."""

import json
from pathlib import Path

import pytest

from drivetrain.decisions.folder import MANIFEST, atomic_folder, recover, seal, verify
from drivetrain.errors import DataError, UsageError


def run_folder(target: Path, content: str = "one") -> Path:
    with atomic_folder(target) as folder:
        (folder / "metrics.json").write_text(content)
        (folder / "model").mkdir()
        (folder / "model" / "fold-0.safetensors").write_bytes(bytes(100))
    return target


def test_a_run_folder_verifies(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "runs" / "a")
    verify(run)
    files = json.loads((run / MANIFEST).read_text())["files"]
    assert list(files) == ["metrics.json", "model/fold-0.safetensors"]
    assert files["model/fold-0.safetensors"]["bytes"] == 100


def test_an_earlier_run_is_replaced_whole(tmp_path: Path) -> None:
    run_folder(tmp_path / "a", "one")
    run_folder(tmp_path / "a", "two")
    verify(tmp_path / "a")
    assert (tmp_path / "a" / "metrics.json").read_text() == "two"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, FileNotFoundError, ZeroDivisionError])
def test_a_run_cut_off_leaves_the_earlier_one(tmp_path: Path, error: type[BaseException]) -> None:
    run_folder(tmp_path / "a", "one")

    def cut_off() -> None:
        with atomic_folder(tmp_path / "a") as folder:
            (folder / "metrics.json").write_text("half")
            raise error

    with pytest.raises(error):
        cut_off()
    verify(tmp_path / "a")
    assert (tmp_path / "a" / "metrics.json").read_text() == "one"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_failed_exchange_puts_the_earlier_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder(tmp_path / "a", "one")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name.startswith(".a.") and (self / "metrics.json").read_text() == "two":
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UsageError, match="Permission denied"):
        run_folder(tmp_path / "a", "two")
    assert (tmp_path / "a" / "metrics.json").read_text() == "one"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_an_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    verify(run_folder(tmp_path / "a"))


def test_other_folders_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="exists and is not a run folder"):
        run_folder(tmp_path / "home")
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(UsageError, match="this is a file, not a folder"):
        run_folder(tmp_path / "a")


def test_a_run_with_the_users_own_notes_is_not_replaced(tmp_path: Path) -> None:
    (run_folder(tmp_path / "a") / "notes.txt").write_text("why we chose this")
    with pytest.raises(UsageError, match=r"first 'notes\.txt'"):
        run_folder(tmp_path / "a")


def test_resealing_accepts_a_meant_change(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a")
    (run / "metrics.json").write_text("opened the test part once")
    seal(run)
    verify(run)


def test_every_damaged_file_is_named(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a")
    (run / "metrics.json").unlink()
    (run / "model" / "fold-0.safetensors").write_bytes(bytes(60))
    with pytest.raises(DataError) as caught:
        verify(run)
    assert [fault.found for fault in caught.value.faults] == [
        "the file is missing",
        "the file is truncated: 60 bytes, 100 were written",
    ]


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a")
    (run / "model" / "fold-0.safetensors").write_bytes(bytes(99) + b"\x01")
    with pytest.raises(DataError, match="the file has changed: sha256"):
        verify(run)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "the manifest cannot be read"),
        ("[]", "this is not the manifest of a run"),
        ('{"format": "other", "files": {}}', "this is not the manifest of a run"),
        ('{"format": "drivetrain run", "files": {"../x": {"bytes": 1, "sha256": ""}}}', "not the manifest of a run"),
        ('{"format": "drivetrain run", "files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}}', "not the manifest"),
        ('{"format": "drivetrain run", "files": {"x": {"bytes": "1", "sha256": ""}}}', "not the manifest of a run"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, content: str, found: str) -> None:
    run = run_folder(tmp_path / "a")
    (run / MANIFEST).write_text(content)
    with pytest.raises(DataError, match=found) as caught:
        verify(run)
    assert caught.value.exit_code == 3


def test_a_missing_folder_or_manifest_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(DataError, match="the manifest is missing"):
        verify(tmp_path)


def test_a_run_with_hidden_files_of_others_is_not_replaced(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("mine")
    with pytest.raises(UsageError, match="files that no run wrote"):
        run_folder(tmp_path / "a", "two")
    assert (folder / ".git" / "HEAD").read_text() == "mine"


def test_a_run_cut_off_between_two_renames_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder(tmp_path / "a", "one")
    rename = Path.rename

    class PowerCutError(BaseException):
        pass

    def cut(self: Path, target: Path) -> Path:
        if target.name == "a":
            raise PowerCutError
        return rename(self, target)

    with monkeypatch.context() as now:
        now.setattr(Path, "rename", cut)
        now.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(PowerCutError):
            run_folder(tmp_path / "a", "two")
    assert not (tmp_path / "a").exists()
    recover(tmp_path / "a")
    verify(tmp_path / "a")
    assert (tmp_path / "a" / "metrics.json").read_text() == "two"
