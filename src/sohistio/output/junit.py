"""Checks as JUnit XML, as Azure DevOps' PublishTestResults@2 takes it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from sohistio.checks.result import CheckResult, Result
from sohistio.system.sanitize import escaped_pairs, one_line


def junit(suite: str, checks: Sequence[CheckResult]) -> str:
    """One test case for each check: failed where it stops a run; a warning passes, and is reported in its output."""
    cases = [(name, list(found)) for name, found in groupby(checks, lambda check: check.name)]
    root = ElementTree.Element("testsuites")
    failures = sum(any(check.breaks for check in found) for _, found in cases)
    skipped = sum(_is_skipped(found) for _, found in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    parent = ElementTree.SubElement(root, "testsuite", {"name": suite, **counts})
    for name, found in cases:
        case = ElementTree.SubElement(parent, "testcase", {"classname": suite, "name": name, "time": "0"})
        breaking = [check for check in found if check.breaks]
        if breaking:
            failure = ElementTree.SubElement(case, "failure", {"message": one_line(breaking[0].message)})
            failure.text = "\n".join(f"{one_line(check.message)}\n→ {one_line(check.hint)}" for check in breaking)
        elif _is_skipped(found):
            ElementTree.SubElement(case, "skipped", {"message": one_line(found[0].message)})
        rest = [check for check in found if not check.breaks and check.result is not Result.SKIPPED]
        if rest:
            output = ElementTree.SubElement(case, "system-out")
            output.text = "\n".join(_line(check) for check in rest)
    ElementTree.indent(root)
    # Characters beyond ASCII as references: right whatever encoding the shell writes the file with.
    document: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True)
    return escaped_pairs(document.decode("ascii"), "&#35;") + "\n"


def _is_skipped(found: Sequence[CheckResult]) -> bool:
    return all(check.result is Result.SKIPPED for check in found)


def _line(check: CheckResult) -> str:
    if check.result is Result.PASSED:
        return one_line(check.message)
    return f"warning: {one_line(check.message)}\n→ {one_line(check.hint)}"
