"""What an image consists of, and images that no node could use; a folder of images is the registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sohistio.adapters.bundle.layout import Layout
from sohistio.adapters.bundle.served import served
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import UnusableError
from sohistio.adapters.registry.manifests import read_content
from sohistio.model.image import Image

INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BLOB = {"digest": "sha256:" + "ab" * 32, "size": 12}


@contextmanager
def registry_of(folder: Path, *documents: dict[str, Any]) -> Iterator[tuple[Registry, Image]]:
    """A registry with these manifests; the image is the last one. `{0}` in a digest is the first one's, and so on."""
    layout = Layout(folder)
    layout.blob("").mkdir(parents=True)
    digests: list[str] = []
    for document in documents:
        text = json.dumps(document)
        for number, digest in enumerate(digests):
            text = text.replace(f"{{{number}}}", digest)
        digests.append(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
        layout.blob(digests[-1]).write_text(text)
    image = Image("docker.io", "istio/pilot", "1")
    layout.write_index({image: digests[-1]})
    with served(layout) as bundle, Registry(bundle.host, None, print, authority=bundle.authority) as registry:
        yield registry, image.pinned(digests[-1])


def manifest(**changes: Any) -> dict[str, Any]:
    return {"mediaType": MANIFEST, "config": BLOB, "layers": [BLOB | {"digest": "sha256:" + "cd" * 32}]} | changes


def index(*children: Any) -> dict[str, Any]:
    return {"mediaType": INDEX, "manifests": list(children)}


AMD64 = {"digest": "{0}", "platform": {"os": "linux", "architecture": "amd64"}}
ATTESTATION = {"digest": "{0}", "platform": {"os": "unknown", "architecture": "unknown"}}


def test_an_index_and_a_manifest(tmp_path: Path) -> None:
    with registry_of(tmp_path, manifest(), index(AMD64, ATTESTATION)) as (registry, image):
        content = read_content(registry, image)
        assert registry.digest(image.by_tag) == image.digest
    assert content.platforms == ("linux/amd64",)
    assert content.bytes == 24
    assert len(content.manifests) == 1
    with registry_of(tmp_path / "one", manifest()) as (registry, image):
        assert read_content(registry, image).platforms == ()


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        pytest.param([index()], "of none", id="empty-index"),
        pytest.param([index() | {"manifests": None}], "of none", id="no-index"),
        pytest.param([manifest(), index(*[AMD64] * 65)], "more than 64", id="large-index"),
        pytest.param([index({"digest": "sha512:" + "0" * 128})], "names no digests", id="another-digest"),
        pytest.param([index("text")], "names no digests", id="no-descriptor"),
        pytest.param([manifest(), index(AMD64), index({"digest": "{1}"})], "index within an index", id="nested"),
        pytest.param([manifest(layers=None)], "without layers", id="no-layers"),
        pytest.param([manifest(layers=[])], "without layers", id="empty-layers"),
        pytest.param([manifest(layers=[BLOB | {"size": -1}])], "no size", id="negative-size"),
        pytest.param([manifest(layers=[BLOB | {"size": "12"}])], "no size", id="size-is-text"),
        pytest.param([manifest(config=None)], "no digest", id="no-configuration"),
        pytest.param(
            [manifest(mediaType="application/vnd.docker.distribution.manifest.v1+json")], "answered", id="old"
        ),
        pytest.param([manifest(mediaType="text/html")], "answered text/html", id="a-page"),
    ],
)
def test_images_that_no_node_could_use(tmp_path: Path, documents: list[dict[str, Any]], words: str) -> None:
    with (
        registry_of(tmp_path, *documents) as (registry, image),
        pytest.raises(UnusableError) as caught,
    ):
        read_content(registry, image)
    assert words in caught.value.what
    assert caught.value.todo


def test_a_blob_with_another_size_than_its_manifest_says(tmp_path: Path) -> None:
    with registry_of(tmp_path, manifest()) as (registry, image):
        layer = Layout(tmp_path).blob(BLOB["digest"])  # type: ignore[arg-type]
        layer.write_bytes(b"x" * 12)
        assert registry.blob_fault(image, str(BLOB["digest"]), 12) == ""
        assert registry.blob_fault(image, str(BLOB["digest"]), 13) == "has 12 bytes, its manifest says 13"
        assert registry.blob_fault(image, "sha256:" + "0" * 64, 12) == "is missing"
