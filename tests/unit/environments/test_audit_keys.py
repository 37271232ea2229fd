"""`audit` and `notify`: what they say, and that no URL gets into an environment or into what is printed of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from environment_folder import environment_folder
from sohistio.environments.load import load_environment
from sohistio.errors import UsageError

VARIABLES = {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_NOTIFY_URL": "https://hooks.example.com/?sig=s3cret"}


def test_nothing_is_asked_and_nothing_is_sent_by_default(tmp_path: Path) -> None:
    environment = load_environment("qa", environment_folder(tmp_path), VARIABLES)
    assert not environment.audit.reason_required
    assert environment.notify is None


def test_a_variable_is_named_and_never_filled_in(tmp_path: Path) -> None:
    added = "audit: {reasonRequired: true}\nnotify: {webhook: SOHISTIO_NOTIFY_URL, format: teams}\n"
    environment = load_environment("qa", environment_folder(tmp_path, qa=added), VARIABLES)
    assert environment.audit.reason_required
    assert environment.notify is not None
    assert (environment.notify.webhook, environment.notify.format) == ("SOHISTIO_NOTIFY_URL", "teams")
    assert "s3cret" not in json.dumps(environment.document())


@pytest.mark.parametrize("value", ["https://hooks.example.com/?sig=s3cret", "${SOHISTIO_NOTIFY_URL}", "s3cret value"])
def test_a_url_in_the_file_is_refused_and_not_repeated(tmp_path: Path, value: str) -> None:
    root = environment_folder(tmp_path, qa=f"notify: {{webhook: '{value}'}}\n")
    with pytest.raises(UsageError) as refused:
        load_environment("qa", root, VARIABLES)
    assert "s3cret" not in str(refused.value.document())
