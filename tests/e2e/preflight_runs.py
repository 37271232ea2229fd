"""Preflight's checks on the sandbox, asked for as a pipeline would, and what the tests of them need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sandboxes import CHECKOUT, Sandbox

LOCAL = ("--env", "local")


class Told(NamedTuple):
    """One result of a check."""

    severity: str
    result: str
    message: str
    hint: str


class Checked(NamedTuple):
    """What `sohistio check --output json` answered."""

    code: int
    document: dict[str, Any]

    def of(self, name: str) -> list[Told]:
        """The results of one check."""
        found = [item for item in self.document["checks"] if item["name"] == name]
        return [Told(item["severity"], item["result"], item["message"], item["hint"]) for item in found]

    def passed(self, name: str) -> str:
        """The message of a check that holds as a whole."""
        results = self.of(name)
        assert [item.result for item in results] == ["passed"], results
        return results[0].message

    def failed(self, name: str, severity: str = "error") -> str:
        """The messages of what does not hold, by its worst; the exit code must agree."""
        found = [item for item in self.of(name) if item.result == "failed"]
        worst = "error" if any(item.severity == "error" for item in found) else "warning"
        assert found, self.of(name)
        assert worst == severity, found
        assert all(item.hint for item in found)
        bad = [item for item in found if item.severity == severity]
        if severity == "error":
            assert self.code == 3
        return "\n".join(item.message for item in bad)

    @property
    def failures(self) -> list[str]:
        """The names of the checks that stop a run."""
        found = [item["name"] for item in self.document["checks"] if (item["severity"], item["result"]) == _BREAKS]
        return list(dict.fromkeys(found))


_BREAKS = ("error", "failed")


def preflight(sandbox: Sandbox, *flags: str, environment: str = "local", **variables: str) -> Checked:
    """Every check; whatever it finds, nothing may have been written."""
    before = sandbox.writes()
    done = sandbox.run("check", "--env", environment, *flags, "--output", "json", cwd=CHECKOUT, **variables)
    assert "Traceback" not in done.stderr
    assert sandbox.writes() == before
    return Checked(done.returncode, json.loads(done.stdout))


def environments(folder: Path, **changes: Any) -> tuple[str, ...]:
    """The flag for a copy of the environments in which keys of local's environment.yaml are replaced."""
    copy = Path(shutil.copytree(CHECKOUT / "environments", folder / "environments"))
    file = copy / "local" / "environment.yaml"
    document = yaml.safe_load(file.read_text())
    for key, value in changes.items():
        if isinstance(value, dict):
            document.setdefault(key, {}).update(value)
        else:
            document[key] = value
    file.write_text(yaml.safe_dump(document))
    return ("--environments", str(copy))


@contextmanager
def there(sandbox: Sandbox, *objects: dict[str, Any]) -> Iterator[None]:
    """These objects, for the block."""
    api = sandbox.api
    for obj in objects:
        api.create(api.path_of(obj).rpartition("/")[0], obj)
    try:
        yield
    finally:
        for obj in reversed(objects):
            api.delete(api.path_of(obj))


@contextmanager
def patched(sandbox: Sandbox, path: str, patch: dict[str, Any], back: dict[str, Any]) -> Iterator[None]:
    """A change to an object, for the block, as somebody else makes it."""

    def edit(body: dict[str, Any]) -> None:
        query, kind = {"fieldManager": "kubectl-edit"}, "application/merge-patch+json"
        sandbox.api.request("PATCH", path, query=query, body=body, content_type=kind)

    edit(patch)
    try:
        yield
    finally:
        edit(back)


def istioctl_that_says(folder: Path, version: str, istioctl: Path) -> tuple[str, ...]:
    """The flags for an istioctl that is the real one but for the version that it tells."""
    script = folder / "istioctl"
    answer = json.dumps({"clientVersion": {"version": version}})
    script.write_text(f"#!/bin/sh\ncase \"$1\" in version) echo '{answer}';; *) exec '{istioctl}' \"$@\";; esac\n")
    script.chmod(0o755)
    return ("--version", version, "--istioctl", str(script))
