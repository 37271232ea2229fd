"""The bill of materials of a wheel, as CycloneDX 1.6 JSON: what it runs on, with hashes, licences, and who wants what.

No time and no serial number stand in it: the same commit gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from locks import PROJECT, Locked


@dataclass(frozen=True)
class Product:
    """What the bill is about: sohistio's wheel, with its SHA-256."""

    version: str
    licence: str
    wheel: str
    digest: str


def bill_of_materials(product: Product, packages: list[Locked], licences: Mapping[str, str]) -> str:
    """The JSON text. Hashes are those of the lock: a package has several files (one for each platform, and its source),
    and any of them may be what is installed."""
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": _project_reference(product),
                "name": PROJECT,
                "version": product.version,
                "licenses": _licences(product.licence),
                "hashes": _hashes(product.digest),
                "properties": [{"name": "sohistio:wheel", "value": product.wheel}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": _purl(package),
                "name": package.name,
                "version": package.version,
                "purl": _purl(package),
                "licenses": _licences(licences[package.name]),
                "hashes": _hashes(*package.hashes),
                "scope": "required",
            }
            for package in packages
        ],
        "dependencies": [
            {"ref": _project_reference(product), "dependsOn": _wanted_by(f"{PROJECT} (pyproject.toml)", packages)},
            *(
                {"ref": _purl(package), "dependsOn": wanted} if wanted else {"ref": _purl(package)}
                for package in packages
                for wanted in [_wanted_by(package.name, packages)]
            ),
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _project_reference(product: Product) -> str:
    return f"{PROJECT}@{product.version}"


def _purl(package: Locked) -> str:
    """Its package URL, the name that databases of vulnerabilities know it by."""
    return f"pkg:pypi/{package.name}@{quote(package.version, safe='')}"


def _wanted_by(who: str, packages: list[Locked]) -> list[str]:
    return [_purl(package) for package in packages if who in package.wanted_by]


def _licences(expression: str) -> list[object]:
    """A single licence has an id of its own in CycloneDX; a choice or a sum is an expression."""
    return [{"expression": expression}] if " " in expression else [{"license": {"id": expression}}]


def _hashes(*digests: str) -> list[object]:
    return [{"alg": "SHA-256", "content": digest} for digest in digests]
