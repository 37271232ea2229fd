"""What nobody may read of a value: passwords, tokens, keys, and the credentials within URLs. Pure.

Better one value too many than one too few: a hidden value still shows that it differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(hidden)"
# Names of keys, environment variables and headers; short ones only as a word of their own: DB_PASS, not bypass.
_SECRET_NAME = re.compile(
    r"(?i:password|passwd|passphrase|token|secret|(?:private|secret|api|access|account|signing|encryption)[-_]?key"
    r"|credentials?|authorization|cookie)$"
    r"|(?:(?i:^|[-_.])(?i:pw|pwd|pass)|[a-z0-9](?:Pw|Pwd|Pass))$"
)
# Text in an EnvoyFilter's data source, which may be a key as well as a script.
_INLINE = re.compile(r"^inline_?(string|bytes)$", re.IGNORECASE)
# Of a JSON Web Key (RFC 7518): a symmetric key, and the private parts of the others.
_PRIVATE_JWK = re.compile(r'"(?:k|d|p|q|dp|dq|qi)"\s*:\s*"')
_AUTHORIZATION = re.compile(r"^\s*(?:Basic|Bearer)\s+\S", re.IGNORECASE)
_USER_INFO = re.compile(r"""(\b[a-z][a-z0-9+.-]*://)[^\s/?#"']+@""", re.IGNORECASE)
_IN_QUERY = re.compile(r"([?&](?:sig|signature|[\w-]*(?:token|key|secret|password))=)[^\s&#\"']+", re.IGNORECASE)
# How Istio compares a header or a claim: the key above these names what they hold.
MATCHES = frozenset({"exact", "prefix", "suffix", "regex", "contains"})
# A condition of an AuthorizationPolicy: `key: request.headers[x-api-key]`, and its values.
_HEADER = re.compile(r"^request\.headers\[(.+)\]$")
_CONDITION = frozenset({"values", "notValues"})


def shown(key: str, value: Any) -> Any:
    """The value as people and files may see it, `key` its name; what is secret is hidden, wherever it nests."""
    if isinstance(value, Mapping):
        return {name: shown(_named(value, str(name), key), item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(key, item) for item in value]
    if isinstance(value, str) and value:
        return HIDDEN if _is_secret(key, value) else _IN_QUERY.sub(rf"\1{HIDDEN}", _without_user(value))
    return value


def _is_secret(key: str, value: str) -> bool:
    return bool(
        _SECRET_NAME.search(key)
        or _INLINE.search(key)
        or "PRIVATE KEY-----" in value
        or _AUTHORIZATION.search(value)
        or ('"kty"' in value and _PRIVATE_JWK.search(value))
    )


def _without_user(text: str) -> str:
    return _USER_INFO.sub(rf"\1{HIDDEN}@", text)


def _named(around: Mapping[str, Any], name: str, key: str) -> str:
    """The name that says what an entry of a mapping holds; `key` is the mapping's own."""
    if name == "value" and around.get("name"):
        return str(around["name"])
    if name in _CONDITION and (header := _HEADER.match(str(around.get("key", "")))):
        return header[1]
    return key if name in MATCHES else name
