"""A refusal goes to the webhook once, however many blocks it passes; nothing that happens there changes it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from environment_folder import environment_folder
from release_mirror import until
from sohistio.errors import FailedError, RefusedError, UsageError
from sohistio.model.cause import Cause
from sohistio.planning.session import Session, Where
from sohistio.run.notify import refusals_sent
from webhook_server import WebhookServer

NEVER = threading.Event()
NOTIFY = "notify: {webhook: SOHISTIO_NOTIFY_URL}"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookServer]:
    monkeypatch.setenv("SOHISTIO_IP_PREFIX", "10.20")
    with WebhookServer() as server:
        monkeypatch.setenv("SOHISTIO_NOTIFY_URL", f"{server.url}\n")
        yield server


def session(folder: Path, said: list[str], keys: str = NOTIFY) -> Session:
    where = Where("qa", environment_folder(folder, qa=keys), cause=Cause("uninstall", "CHG1"))
    return Session(where, said.append)


def refuse(at: Session, error: Exception, seconds: float = 0.0) -> None:
    """Raised in a block within a block, as a plan's refusal in a command is."""
    with refusals_sent(at):
        NEVER.wait(seconds)
        with refusals_sent(at):
            raise error


def test_once(webhook: WebhookServer, tmp_path: Path) -> None:
    said: list[str] = []
    error = RefusedError("not \x1b[31mnow", details=("two\nlines",), todo="Wait.")
    with pytest.raises(RefusedError) as raised:
        refuse(session(tmp_path, said), error, seconds=0.2)
    assert raised.value is error
    (notice,) = webhook.posted
    assert notice["seconds"] >= 0.2, "since the command's own block began"
    assert notice["title"] == "qa: uninstall refused"
    assert (notice["error"]["what"], notice["error"]["details"]) == ("not \\x1b[31mnow", ["two⏎lines"])
    assert said == []


@pytest.mark.parametrize("error", [UsageError("wrong"), FailedError("failed")], ids=repr)
def test_what_is_no_refusal_is_not_sent(webhook: WebhookServer, tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        refuse(session(tmp_path, []), error)
    assert webhook.posted == []


def test_an_environment_without_a_webhook(webhook: WebhookServer, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(RefusedError):
        refuse(session(tmp_path, said, ""), RefusedError("no"))
    assert (webhook.posted, said) == ([], [])


def test_each_environment_may_have_a_variable_of_its_own(
    webhook: WebhookServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOHISTIO_NOTIFY_URL", "https://hooks.example.com/")
    monkeypatch.setenv("SOHISTIO_NOTIFY_URL_QA", webhook.url)
    with pytest.raises(RefusedError):
        refuse(session(tmp_path, []), RefusedError("no"))
    assert len(webhook.posted) == 1


def test_ctrl_c_ends_the_waiting_and_not_the_refusal(webhook: WebhookServer, tmp_path: Path) -> None:
    webhook.silent = 60.0
    said: list[str] = []

    def interrupt() -> None:
        until(lambda: webhook.posted)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(RefusedError, match="no"):
        refuse(session(tmp_path, said), RefusedError("no"))
    thread.join()
    assert said == ["Warning: the webhook of SOHISTIO_NOTIFY_URL got no message: interrupted"]
