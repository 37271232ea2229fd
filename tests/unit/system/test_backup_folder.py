"""A backup's folder is private, whole or refused; the CA's key is sealed under a passphrase."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sohistio.errors import FailedError, UsageError
from sohistio.system.backup_folder import AUTHORITY, CUSTOM_RESOURCES, SEALED_AUTHORITY, read_backup, write_backup
from sohistio.system.sealing import PASSPHRASE_VARIABLE, passphrase, seal, unseal

ROUTE = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web"}}
FILES: dict[str, Any] = {
    CUSTOM_RESOURCES: {"items": [ROUTE]},
    AUTHORITY: {"secret": None},
    "istiooperator.yaml": "kind: IstioOperator\n",
}
PHRASE = "correct horse battery"


def written(folder: Path, **more: dict[str, str]) -> Path:
    write_backup(folder, {"environment": "qa", "version": "1.30.5"}, {**FILES, **more})
    return folder


def test_it_is_private_and_read_back(tmp_path: Path) -> None:
    folder = written(tmp_path / "backups" / "one")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    backup = read_backup(folder)
    assert (backup.environment, backup.custom_resources, backup.sealed_authority) == ("qa", (ROUTE,), None)


def test_one_is_never_written_over_another(tmp_path: Path) -> None:
    folder = written(tmp_path / "one")
    with pytest.raises(FailedError, match="could not be written"):
        written(folder)


def damaged(folder: Path, how: str) -> None:
    contents = folder / "backup.json"
    if how == "empty":
        for file in folder.iterdir():
            file.unlink()
    elif how == "no-contents":
        contents.unlink()
    elif how == "file-missing":
        (folder / CUSTOM_RESOURCES).unlink()
    elif how == "edited":
        (folder / CUSTOM_RESOURCES).write_text('{"items": []}')
    elif how == "cut-off":
        contents.write_text(contents.read_text()[:40])
    elif how == "newer":
        contents.write_text(json.dumps(json.loads(contents.read_text()) | {"schemaVersion": "9"}))
    else:
        contents.write_text("[]")


@pytest.mark.parametrize("how", ["empty", "no-contents", "file-missing", "edited", "cut-off", "newer", "no-object"])
def test_one_that_is_not_whole_is_refused(tmp_path: Path, how: str) -> None:
    folder = written(tmp_path / "one")
    damaged(folder, how)
    with pytest.raises(UsageError, match="is not a whole backup") as raised:
        read_backup(folder)
    assert raised.value.details
    assert "sohistio history" in raised.value.todo


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a whole backup"):
        read_backup(tmp_path / "none")


def test_the_key_is_sealed(tmp_path: Path) -> None:
    secret = {"data": {"ca-key.pem": "c2VjcmV0"}}
    folder = written(tmp_path / "one", **{SEALED_AUTHORITY: seal(secret, PHRASE)})
    assert "c2VjcmV0" not in (folder / SEALED_AUTHORITY).read_text()
    sealed = read_backup(folder).sealed_authority
    assert sealed is not None
    assert unseal(sealed, PHRASE) == secret
    for damage in ({}, {"data": "AAAA"}, {"nonce": "?"}, {"kind": "none"}):
        with pytest.raises(UsageError, match="cannot be decrypted"):
            unseal(dict(sealed) | damage if damage else {}, PHRASE)
    with pytest.raises(UsageError, match="cannot be decrypted"):
        unseal(sealed, "another passphrase")


@pytest.mark.parametrize(("value", "words"), [(None, "is not set"), ("", "is not set"), ("short", "fewer than 12")])
def test_a_passphrase_is_needed(value: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        passphrase({} if value is None else {PASSPHRASE_VARIABLE: value})
    assert raised.value.exit_code == 2
    assert not value or value not in str((*raised.value.details, raised.value.todo))
    assert passphrase({PASSPHRASE_VARIABLE: PHRASE}) == PHRASE
