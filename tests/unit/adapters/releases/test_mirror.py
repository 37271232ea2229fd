"""What Istio's archives are called, and which mirrors may be asked for them."""

from __future__ import annotations

import pytest

from obtaining import VERSION, said
from release_mirror import HERE
from sohistio.adapters.releases.mirror import PUBLIC_RELEASES, Mirror, archive_name, without_secrets
from sohistio.errors import NotObtainedError, UsageError


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "istioctl-1.31.1-linux-amd64.tar.gz"),
        ("Linux", "aarch64", "istioctl-1.31.1-linux-arm64.tar.gz"),
        ("Linux", "armv7l", "istioctl-1.31.1-linux-armv7.tar.gz"),
        ("Darwin", "x86_64", "istioctl-1.31.1-osx-amd64.tar.gz"),
        ("Darwin", "arm64", "istioctl-1.31.1-osx-arm64.tar.gz"),
        ("Windows", "AMD64", "istioctl-1.31.1-win-amd64.zip"),
        ("Windows", "ARM64", "istioctl-1.31.1-win-amd64.zip"),
    ],
)
def test_archive_names(system: str, machine: str, name: str) -> None:
    assert archive_name(VERSION, system, machine) == name


@pytest.mark.parametrize(("system", "machine"), [("Linux", "s390x"), ("FreeBSD", "amd64"), ("Darwin", "armv7l")])
def test_no_release_for_this_machine(system: str, machine: str) -> None:
    with pytest.raises(NotObtainedError, match=f"{system} on {machine}"):
        archive_name(VERSION, system, machine)


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://artifacts.example.com/istio/", "https://artifacts.example.com/istio"),
        (" https://artifacts.example.com:8443/istio\n", "https://artifacts.example.com:8443/istio"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
    ],
)
def test_mirrors_that_may_be_used(text: str, base: str) -> None:
    assert Mirror.parse(text).base == base


@pytest.mark.parametrize(
    "text",
    [
        "http://artifacts.example.com/istio",
        "http://localhost.example.com/istio",
        "http://127.0.0.1.example.com",
        "ftp://artifacts.example.com",
        "artifacts.example.com/istio",
        "https://",
        "https://host:port/",
        "https://[::1/",
        "https://host/istio?token=abc",
        "file:///srv/istio",
    ],
)
def test_mirrors_that_may_not(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Mirror.parse(text)
    assert caught.value.todo


def test_the_mirror_is_the_argument_then_the_variable_then_the_public_one() -> None:
    variable = {"SOHISTIO_ISTIO_MIRROR": "https://b.example.com"}
    assert Mirror.choose("https://a.example.com", variable).base == "https://a.example.com"
    assert Mirror.choose(None, variable).base == "https://b.example.com"
    assert Mirror.choose(None, {}).base == PUBLIC_RELEASES


def test_credentials_of_a_mirror_are_never_shown() -> None:
    mirror = Mirror.parse("https://build:s3cret%2F@artifacts.example.com/istio")
    assert mirror.credentials == ("build", "s3cret/")
    assert "s3cret" not in f"{mirror} {mirror!r} {mirror.archive_url(VERSION, HERE)}"
    for wrong in ("http://build:s3cret@example.com", "https://build:s3cret@example.com?x", "ftp://build:s3cret@h"):
        with pytest.raises(UsageError) as caught:
            Mirror.parse(wrong)
        assert "s3cret" not in said(caught.value)
    assert without_secrets("https://u:p@host/a?sig=abc#f") == "https://host/a"
