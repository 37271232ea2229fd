"""A folder of environments, read in layers and validated into an Environment.

environments/base/ holds what all share; environments/<name>/ is merged over it. The variables and
the folder to start from are the caller's to give.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sohistio.environments.istiooperator import gateways_of, merge_operator
from sohistio.environments.istiooperator_checks import check_operator
from sohistio.environments.layers import merge
from sohistio.environments.messages import holder, problems_in
from sohistio.environments.model import Environment, layer_schema
from sohistio.environments.policy_problems import policy_problems
from sohistio.environments.promotion_chain import chain_problem, chain_to
from sohistio.environments.root import BASE, FILE, TO_COPY, environment_names, find_environments_root, is_bundled
from sohistio.environments.variables import variables_for
from sohistio.environments.yaml_files import Document, Problem, invalid, read_document
from sohistio.errors import UsageError
from sohistio.model.nearest import did_you_mean

__all__ = [
    "BASE",
    "FILE",
    "Environment",
    "Summary",
    "environment_names",
    "find_environments_root",
    "layer_schema",
    "load_environment",
    "may_say",
    "problems_of",
    "promotion_chain",
    "shown",
    "standbys_of",
    "summary_of",
]

_OPERATOR_FILE = "istiooperator.yaml"


def check_name(name: str, root: Path) -> None:
    """Raises UsageError where `root` has no environment of this name."""
    if name in (names := environment_names(root)):
        return
    where = "(they come with sohistio)" if is_bundled(root) else f"in {shown(root)}"
    known = f"Known environments {where}: {', '.join(names)}." if names else f"There are no environments {where}."
    more = (TO_COPY,) if is_bundled(root) else ()
    raise UsageError(f"There is no environment named {name!r}", todo=did_you_mean(name, names, known, *more))


def may_say(name: str, root: Path, key: str, value: str) -> bool:
    """Whether a key may have this value in an environment's file or base's. Only a plain line with another value says
    no. To load the environment and find another value takes ten times as long.
    """
    plain = re.compile(rb"\s*%b: +([\w-]+)(?: +#.*)?" % re.escape(key.encode()))
    for path in (root / folder / FILE for folder in (BASE, name)):
        with suppress(OSError):
            text = path.read_bytes()
            if b"\\" in text:  # an escape may spell anything
                return True
            for line in text.splitlines():
                if key.encode() in line and ((said := plain.fullmatch(line)) is None or said[1] == value.encode()):
                    return True
    return False


def standbys_of(primary: str, root: Path, variables: Mapping[str, str]) -> Iterator[Environment]:
    """The environments that stand by for this one, each loaded; those whose files are not valid are passed by."""
    for name in environment_names(root):
        if name != primary and may_say(name, root, "standbyOf", primary):
            with suppress(UsageError):
                other = load_environment(name, root, variables)
                if other.standby_of == primary:
                    yield other


def load_environment(
    name: str, root: Path, variables: Mapping[str, str], instead: Mapping[Path, str] | None = None
) -> Environment:
    """The environment `name` of `root`, with `${VARIABLE}` taken from `variables`.

    `instead` has texts that are read in place of files, before they are written. Raises UsageError that names every
    problem with file, line and key.
    """
    result = _load(name, root, variables, instead)
    if isinstance(result, Environment):
        return result
    if instead:
        todo = "The lines are those of the file as it would be. Change what is asked for, or edit the file by hand."
        raise invalid(f"The environment {name} would not be valid; nothing was written", result, todo)
    raise invalid(f"The environment {name} is not valid", result)


def problems_of(name: str, root: Path, variables: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with an environment, in the order of the files' lines; empty for a valid one."""
    result = _load(name, root, variables)
    return () if isinstance(result, Environment) else tuple(sorted(set(result)))


def promotion_chain(name: str, root: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The environments whose versions and settings lead to one, the first one first and itself last."""
    return chain_to(name, _contents(root, variables, {}))


def _contents(
    root: Path, variables: Mapping[str, str], known: Mapping[str, Mapping[str, Any]]
) -> Callable[[str], Mapping[str, Any]]:
    """What the environment.yaml of an environment says, merged as far as it decides where the version comes from;
    nothing of one that does not exist. `known` are those that have been read already; each other one is read once.
    """
    found = dict(known)

    def content(name: str) -> Mapping[str, Any]:
        if name not in found:
            own = variables_for(name, variables)
            data = read_document(root / name / FILE, FILE, own).data
            if not isinstance(data.get("promotesFrom"), str):  # else nothing of base decides
                data = merge(read_document(root / BASE / FILE, FILE, own).data, data)
            found[name] = data
        return found[name]

    return content


@dataclass(frozen=True, slots=True)
class Summary:
    """An environment in one line, also of one that is not valid: what its files say, None where they do not."""

    name: str
    version: str | None
    address: str | None
    gateways: str
    cluster: str | None
    protected: bool
    problems: tuple[Problem, ...]


def summary_of(name: str, root: Path, variables: Mapping[str, str]) -> Summary:
    """An environment in one line; an address with a variable that is not set is shown as written."""
    layers = _Layers(name, root, variables)
    data, problems = layers.data, problems_of(name, root, variables)
    istio, cluster = (value if isinstance(value := data.get(key), dict) else {} for key in ("istio", "cluster"))
    broken = any(problem.file.endswith(_OPERATOR_FILE) for problem in problems)
    gateways = "off" if data.get("standbyOf") else "?" if broken else "on" if gateways_of(layers.operator) else "none"
    return Summary(
        name=name,
        version=_text(istio.get("version")),
        address=_text(data.get("ingressAddress")),
        gateways=gateways,
        cluster=_text(
            cluster.get("context")
            or (aks.get("name") if isinstance(aks := cluster.get("aks"), dict) else None)
            or (f"sandbox {cluster['sandbox']}" if cluster.get("sandbox") else None)
        ),
        protected=data.get("protected") is True,
        problems=problems,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class _Layers:
    """The files of one environment, the more special ones last."""

    def __init__(
        self, name: str, root: Path, variables: Mapping[str, str], instead: Mapping[Path, str] | None = None
    ) -> None:
        check_name(name, root)
        variables = variables_for(name, variables)

        def read(folder: str, file: str) -> Document:
            path = root / folder / file
            return read_document(path, shown(path), variables, (instead or {}).get(path))

        self.files = [read(folder, FILE) for folder in (BASE, name)]
        self.operator_files = [read(BASE, _OPERATOR_FILE)]
        if (root / name / _OPERATOR_FILE).exists():
            self.operator_files.append(read(name, _OPERATOR_FILE))
        self.stray = [
            Problem(shown(path), 0, "", f"is never read; expected {FILE} or {_OPERATOR_FILE}")
            for folder in (BASE, name)
            for path in (root / folder).iterdir()
            if path.suffix in {".yaml", ".yml"} and path.name not in {FILE, _OPERATOR_FILE}
        ]
        self.data = merge(*(file.data for file in self.files))

    @property
    def operator(self) -> dict[str, Any]:
        operator: dict[str, Any] = {}
        for file in self.operator_files:
            operator = merge_operator(operator, file.data)
        return operator


def shown(path: Path) -> str:
    """How messages name a file: from the working directory where it is below it."""
    cwd = Path.cwd()
    return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)


def _load(
    name: str, root: Path, variables: Mapping[str, str], instead: Mapping[Path, str] | None = None
) -> Environment | list[Problem]:
    layers = _Layers(name, root, variables, instead)
    problems = [problem for file in (*layers.files, *layers.operator_files) for problem in file.problems]
    if any(not file.data for file in layers.files):  # unreadable or empty: all else would be consequences
        return problems or [file.problem((), "is empty") for file in layers.files if not file.data]
    base_operator, *overlays = layers.operator_files
    wrong_operator = check_operator(base_operator)
    for overlay in overlays:
        wrong_operator += check_operator(overlay, base_operator)
    problems += wrong_operator
    problems += layers.stray
    if layers.data.get("name", name) != name:
        text = f"expected {name}, the name of the folder, got {layers.data['name']!r}"
        problems.append(holder(("name",), layers.files).problem(("name",), text))
    others = [other for other in environment_names(root) if other != name]
    for key in ("standbyOf", "promotesFrom"):
        named = layers.data.get(key)
        if isinstance(named, str) and named not in others:
            text = f"expected the name of another environment ({', '.join(others) or 'there is none'}), got {named!r}"
            problems.append(holder((key,), layers.files).problem((key,), text))
    if text := chain_problem(name, _contents(root, variables, {name: layers.data})):
        problems.append(holder(("promotesFrom",), layers.files).problem(("promotesFrom",), text))
    try:
        environment = Environment.build(layers.data, layers.operator)
    except ValidationError as error:
        return problems + problems_in(error, layers.files)
    # A gateway that is not one has been named already; what the policy needs of gateways cannot be said.
    if not any(file.problems for file in layers.operator_files) and not wrong_operator:
        problems += policy_problems(environment, layers.files, layers.operator_files)
    return problems or environment
