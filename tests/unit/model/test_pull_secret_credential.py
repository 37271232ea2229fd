"""Docker configs read and made, and Secrets compared with them; nothing of a password is ever shown."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from sohistio.errors import RefusedError
from sohistio.model.pull_secrets import PullCredential, PullSecretState, of_config, of_copy, of_pair
from sohistio.model.state import ObjectRef

HUB = "dtr.metlife.com/istio"
REF = ObjectRef("Secret", "shop", "jfrogauth")
WORD = "s3cr3t:with colon"


def auth(username: str = "bob", password: str = WORD) -> str:
    return b64encode(f"{username}:{password}".encode()).decode()


def config(**auths: Any) -> str:
    return json.dumps({"auths": {key.replace("_", "."): value for key, value in auths.items()}})


def live(text: str, *, managed: bool = False, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "sohistio"} if managed else {}
    data = {".dockerconfigjson": b64encode(text.encode()).decode()}
    return {"metadata": {"name": "jfrogauth", "labels": labels}, "type": kind, "data": data}


def test_the_secret_as_it_is_applied() -> None:
    manifest = of_pair(HUB, "bob", WORD).manifest(REF)
    assert manifest["type"] == "kubernetes.io/dockerconfigjson"
    assert manifest["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "sohistio"}
    written = json.loads(b64decode(manifest["data"][".dockerconfigjson"]))
    assert written == {"auths": {"dtr.metlife.com": {"username": "bob", "password": WORD, "auth": auth()}}}


@pytest.mark.parametrize(
    ("hub", "key"),
    [
        ("dtr.metlife.com/istio", "dtr.metlife.com"),
        ("localhost:5000/istio", "localhost:5000"),
        ("docker.io/istio", "https://index.docker.io/v1/"),
        ("istio", "https://index.docker.io/v1/"),
    ],
)
def test_the_registrys_key_is_the_one_that_kubelet_looks_up(hub: str, key: str) -> None:
    assert list(json.loads(of_pair(hub, "bob", WORD).config)["auths"]) == [key]


@pytest.mark.parametrize(
    ("hub", "key"),
    [
        (HUB, "dtr.metlife.com"),
        (HUB, "https://dtr.metlife.com"),
        (HUB, "https://dtr.metlife.com/v2/"),
        (HUB, "dtr.metlife.com/istio"),
        ("docker.io/istio", "https://index.docker.io/v1/"),
        ("docker.io/istio", "docker.io"),
    ],
)
@pytest.mark.parametrize("entry", [{"auth": auth()}, {"username": "bob", "password": WORD}])
def test_only_the_hubs_entry_of_a_docker_config_is_taken(hub: str, key: str, entry: dict[str, str]) -> None:
    other = {"auth": auth("eve", "another")}
    text = json.dumps({"auths": {"registry.example.com": other, "dtr.metlife.com.evil.com": other, key: entry}})
    assert of_config(hub, text, "config.json") == of_pair(hub, "bob", WORD)


def test_the_longest_path_wins_as_for_kubelet() -> None:
    text = json.dumps({"auths": {"dtr.metlife.com": {"auth": auth("eve")}, f"{HUB}": {"auth": auth("bob")}}})
    assert of_config(HUB, text, "config.json") == of_pair(HUB, "bob", WORD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no docker config"),
        ("[]", "is no docker config"),
        ('{"auths": []}', "is no docker config"),
        (f'{{"auths": "{WORD}"', "is no docker config"),
        ("{}", "has no user name and password for dtr.metlife.com"),
        (config(registry_example_com={"auth": auth()}), "has no user name and password for dtr.metlife.com"),
        (config(dtr_metlife_com={}), "has no user name and password for dtr.metlife.com"),
        (config(dtr_metlife_com={"auth": "%%%"}), "has no user name and password for dtr.metlife.com"),
        (config(dtr_metlife_com={"identitytoken": WORD}), "has no user name and password for dtr.metlife.com"),
        ('{"auths": {"dtr.metlife.com": {}}, "credsStore": "desktop"}', "in a credential helper (desktop)"),
        ('{"credHelpers": {"dtr.metlife.com": "pass"}}', "in a credential helper (pass)"),
    ],
)
def test_a_docker_config_that_has_no_password(text: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        of_config(HUB, text, "config.json")
    told = "\n".join((caught.value.what, *caught.value.details, caught.value.todo))
    assert said in told
    assert "config.json" in told
    assert caught.value.todo
    assert WORD not in told
    assert auth() not in told


def test_a_copied_secret_is_copied_whole() -> None:
    text = config(dtr_metlife_com={"auth": auth()}, registry_example_com={"auth": auth("eve")})
    assert json.loads(of_copy(HUB, live(text), "Secret a/b").config) == json.loads(text)
    with pytest.raises(RefusedError, match="Secret a/b is of type Opaque"):
        of_copy(HUB, live(text, kind="Opaque"), "Secret a/b")
    with pytest.raises(RefusedError, match="has no user name and password"):
        of_copy(HUB, live(config()), "Secret a/b")


SAME = config(dtr_metlife_com={"auth": auth()})
EXACT = of_pair(HUB, "bob", WORD).config
ROTATED = of_pair(HUB, "bob", "rotated").config


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (None, PullSecretState.MISSING),
        (live(EXACT, managed=True), PullSecretState.CURRENT),
        (live(SAME, managed=True), PullSecretState.OLD),
        (live(ROTATED, managed=True), PullSecretState.OLD),
        (live("nonsense", managed=True), PullSecretState.OLD),
        (live(SAME), PullSecretState.CURRENT),
        (live(config(dtr_metlife_com={"auth": auth()}, other_com={"auth": auth("eve")})), PullSecretState.CURRENT),
        (live(ROTATED), PullSecretState.FOREIGN),
        (live("nonsense"), PullSecretState.FOREIGN),
        (live('{"auths": {"dtr.metlife.com": "x"}}'), PullSecretState.FOREIGN),
        (live(ROTATED, managed=True, kind="Opaque"), PullSecretState.FOREIGN),
        ({"metadata": {"name": "jfrogauth"}, "type": "Opaque"}, PullSecretState.FOREIGN),
    ],
)
def test_how_a_secret_compares(secret: dict[str, Any] | None, expected: PullSecretState) -> None:
    assert of_pair(HUB, "bob", WORD).state_of(secret) is expected


def test_a_copy_with_a_path_is_compared_by_its_path() -> None:
    copied: PullCredential = of_copy(HUB, live(json.dumps({"auths": {HUB: {"auth": auth()}}})), "Secret a/b")
    assert copied.state_of(live(json.dumps({"auths": {HUB: {"auth": auth("eve")}}}))) is PullSecretState.FOREIGN


JFROG = "jfrog.example.com"
OTHER = of_pair(JFROG, "eve", "other-word")


def auths(credential: PullCredential) -> dict[str, Any]:
    return {key: entry["auth"] for key, entry in json.loads(credential.config)["auths"].items()}


def test_another_registry_beside_the_hubs() -> None:
    both = of_pair(HUB, "bob", WORD).with_login(OTHER)
    assert auths(both) == {"dtr.metlife.com": auth(), JFROG: auth("eve", "other-word")}
    assert both.places == (HUB, JFROG)


@pytest.mark.parametrize("key", [JFROG, f"https://{JFROG}/v2/", f"{JFROG}/base-images"])
def test_its_own_source_counts_and_not_what_a_copied_secret_has_for_it(key: str) -> None:
    copied = of_copy(HUB, live(json.dumps({"auths": {HUB: {"auth": auth()}, key: {"auth": auth()}}})), "Secret a/b")
    assert auths(copied.with_login(OTHER)) == {HUB: auth(), JFROG: auth("eve", "other-word")}


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({"dtr.metlife.com": auth(), JFROG: auth("eve", "other-word")}, PullSecretState.CURRENT),
        ({"dtr.metlife.com": auth()}, PullSecretState.FOREIGN),
        ({"dtr.metlife.com": auth(), JFROG: auth("eve", "old")}, PullSecretState.FOREIGN),
        ({JFROG: auth("eve", "other-word")}, PullSecretState.FOREIGN),
    ],
)
def test_somebody_elses_must_log_in_to_all_of_them(theirs: dict[str, str], expected: PullSecretState) -> None:
    text = json.dumps({"auths": {key: {"auth": value} for key, value in theirs.items()}})
    assert of_pair(HUB, "bob", WORD).with_login(OTHER).state_of(live(text)) is expected


def test_what_another_registry_lacks_is_said_by_its_key() -> None:
    with pytest.raises(RefusedError) as caught:
        of_config(
            JFROG, config(dtr_metlife_com={"auth": auth()}), "config.json", f"istio.pullSecretRegistries[{JFROG}]"
        )
    assert caught.value.what == f"config.json has no user name and password for {JFROG}"
    assert f"take another istio.pullSecretRegistries[{JFROG}]" in caught.value.todo


def test_a_credential_shows_nothing_of_itself() -> None:
    assert repr(of_pair(HUB, "bob", WORD)) == "PullCredential(places=('dtr.metlife.com/istio',))"
