"""The variables of an environment: those of its own before those that all share, and which are set. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_ITSELF = re.compile(r"\$\([^()]*\)")


def is_variable_name(text: str) -> bool:
    """Whether a variable can have this name."""
    return _NAME.fullmatch(text) is not None


def variables_for(name: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables as the environment `name` has them: SOHISTIO_IP_PREFIX_DR is dr's own SOHISTIO_IP_PREFIX.

    A failover loads two environments at once.
    """
    suffix = f"_{name.upper().replace('-', '_')}"
    own = {
        key.removesuffix(suffix): value
        for key, value in variables.items()
        if is_set(value) and key.startswith("SOHISTIO_") and key.endswith(suffix)
    }
    return {**variables, **own}


def is_set(value: str) -> bool:
    """Whether a variable's value is one: where a pipeline's has none, Azure DevOps leaves the text `$(name)` itself.

    A line's end came with the variable (`echo`, a file), and is no part of it; nor are blanks around such a name.
    """
    return bool(_text_of(value))


def value_in(variables: Mapping[str, str], name: str) -> str:
    """The value of a variable, without a line's end that came with it; empty where it is not set (`is_set`)."""
    return _text_of(variables.get(name, ""))


def not_set(variables: Mapping[str, str], name: str) -> str:
    """What to say of a variable that is not set (`is_set`); what it holds all the same explains it."""
    left = variables.get(name, "").strip()
    return f"the variable {name} is not set" + (
        f": Azure DevOps has no value for {left} and left it there" if left else ""
    )


def _text_of(value: str) -> str:
    text = value.rstrip("\r\n")
    return "" if _NAME_ITSELF.fullmatch(text.strip()) else text
