"""How istioctl's answers are read, and how a tool is run: passed on line by line, stopped with all it started."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from release_mirror import until
from sohistio.errors import FailedError
from sohistio.istioctl import Istioctl, parse_findings
from sohistio.model.finding import Finding
from sohistio.model.kube_target import KubeTarget
from sohistio.model.sidecar import Injector
from sohistio.model.versions import Version
from sohistio.system.tool_run import ToolRun

# --- what it is asked, what it answers


@pytest.mark.parametrize(
    ("target", "flags"),
    [
        (KubeTarget(), ()),
        (KubeTarget(Path("/k/config")), ("--kubeconfig=/k/config",)),
        (KubeTarget(Path("/k/config"), "aks-qa"), ("--kubeconfig=/k/config", "--context=aks-qa")),
        (KubeTarget(context="-x"), ("--context=-x",)),
    ],
)
def test_the_flags_of_a_target(target: KubeTarget, flags: tuple[str, ...]) -> None:
    assert target.arguments() == flags


_REAL = """[
\t{
\t\t"code": "IST0101",
\t\t"documentationUrl": "https://istio.io/v1.31/docs/reference/config/analysis/ist0101/?ref=istioctl-analyze",
\t\t"level": "Error",
\t\t"message": "Referenced gateway not found: \\"nogw\\"",
\t\t"origin": "VirtualService a/x",
\t\t"reference": "a.yaml:6"
\t},
\t{
\t\t"code": "IST0102",
\t\t"level": "Info",
\t\t"message": "The namespace is not enabled for Istio injection.",
\t\t"origin": "Namespace default"
\t}
]
"""
_LOG_LINE = (
    "2026-11-23T04:47:48.520371Z\terror\twatch error in cluster : failed to list *v1alpha1.WasmPlugin: "
    'wasmplugins.extensions.istio.io is forbidden: User "low" cannot list resource [x]\n'
)


@pytest.mark.parametrize("before", ["", "\n", _LOG_LINE, _LOG_LINE * 3])
def test_findings(before: str) -> None:
    assert parse_findings(before + _REAL) == [
        Finding(
            "IST0101",
            "Error",
            "VirtualService a/x",
            'Referenced gateway not found: "nogw"',
            "a.yaml:6",
            "https://istio.io/v1.31/docs/reference/config/analysis/ist0101/?ref=istioctl-analyze",
        ),
        Finding("IST0102", "Info", "Namespace default", "The namespace is not enabled for Istio injection."),
    ]


def test_annotations_that_sohistio_reads_are_no_findings(tmp_path: Path) -> None:
    keys = ("sohistio.io/restart-windows", "sohistio.io/restart", "sohistio.io/restart-window", "istio.io/x")
    said = [
        {"code": code, "level": "Warning", "origin": "Deployment a/b", "message": f"Unknown annotation: {key}"}
        for key in keys
        for code in ("IST0108", "IST0107")
    ]
    program = tmp_path / "istioctl"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(said, indent=1)}\nEND\n")
    program.chmod(0o755)
    found = Istioctl(program, Version(1, 31, 1), "").analyze(KubeTarget())
    assert [finding.message.partition(": ")[2] for finding in found if finding.code == "IST0108"] == list(keys[2:])
    assert len(found) == 6


def test_what_it_injects_with_lies_where_every_run_removes_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    program = tmp_path / "istioctl"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    said = Istioctl(program, Version(1, 31, 1)).inject("", Injector("templates", "values", "mesh"))
    folder = tmp_path / "state" / "sohistio" / "kubeconfigs"
    files = [line.partition("File=")[2] for line in said.splitlines() if "File=" in line]
    assert len(files) == 3
    assert all(Path(file).is_relative_to(folder) and not Path(file).exists() for file in files)


@pytest.mark.parametrize("output", ["[]\n", "null", _LOG_LINE + "[]\n"])
def test_no_findings(output: str) -> None:
    assert parse_findings(output) == []


@pytest.mark.parametrize("mark", ["\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c"])
def test_what_unicode_calls_a_lines_end_ends_none_within_a_text(mark: str) -> None:
    """Go's JSON escapes not all of them, and anybody may write them into an EnvoyFilter that is quoted."""
    escaped = json.dumps(f"a{mark}b", ensure_ascii=mark != "\u0085")
    output = f'[\n\t{{"code": "IST0133", "level": "Warning", "message": {escaped}}}\n]\n'
    assert [finding.message for finding in parse_findings(output)] == [f"a{mark}b"]


@pytest.mark.parametrize("output", ["", "\n", _LOG_LINE, "[\n", '{"code": "IST0101"}', '[\n{"code": "X"}]', "[\n1]"])
def test_an_answer_that_is_no_list_is_not_taken_for_no_findings(output: str) -> None:
    with pytest.raises(FailedError, match="not a list of findings"):
        parse_findings(output)


# --- running


def run(tmp_path: Path, script: str, said: list[str], stdin: str = "") -> ToolRun:
    return ToolRun.start(
        "the tool", ("/bin/sh", "-c", script), stdin=stdin, log=tmp_path / "logs" / "tool.log", say=said.append
    )


def test_output_is_told_and_kept(tmp_path: Path) -> None:
    said: list[str] = []
    with run(tmp_path, "echo one; echo two >&2; echo; printf three", said) as tool:
        assert tool.wait(10) == 0
        tool.check()
    assert said == ["one", "two", "three"]
    assert tool.log.read_text() == "one\ntwo\n\nthree\n"
    assert stat.S_IMODE(tool.log.stat().st_mode) == 0o600


# Not a shell: dash can lose a SIGINT in its first milliseconds. The default action whatever pytest was started with.
_SLEEPER = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("begun", flush=True)
time.sleep(300)
"""


def sleeper(tmp_path: Path, said: list[str]) -> ToolRun:
    command = (sys.executable, "-c", _SLEEPER)
    return ToolRun.start("the tool", command, stdin="", log=tmp_path / "tool.log", say=said.append)


def test_a_line_is_told_while_the_tool_runs(tmp_path: Path) -> None:
    said: list[str] = []
    with sleeper(tmp_path, said) as tool:
        until(lambda: said == ["begun"])
        assert tool.poll() is None
        with pytest.raises(TimeoutError):
            tool.wait(0.05)
    assert tool.poll() == -signal.SIGINT


def test_a_log_is_continued(tmp_path: Path) -> None:
    for word in ("one", "two"):
        with run(tmp_path, f"echo {word}", []) as tool:
            tool.wait(10)
    assert tool.log.read_text() == "one\ntwo\n"


def test_long_input_arrives_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    said: list[str] = []
    with run(tmp_path, "wc -c", said, stdin="é" * 200_000) as tool:
        assert list((tmp_path / "tmp").iterdir()) == []
        assert tool.wait(10) == 0
    assert said[0].strip() == "400000"


def test_a_failure_has_the_tools_last_lines_and_the_log(tmp_path: Path) -> None:
    tool = run(tmp_path, "seq 100; echo 'Error: no such thing' >&2; exit 3", [])
    with tool, pytest.raises(FailedError, match=r"the tool failed \(exit code 3\)") as caught:
        tool.check(10)
    assert caught.value.details[-2:] == ("100", "Error: no such thing")
    assert len(caught.value.details) < 20
    assert str(tool.log) in caught.value.todo


def test_a_tool_that_is_killed(tmp_path: Path) -> None:
    with run(tmp_path, "kill -9 $$", []) as tool, pytest.raises(FailedError, match="signal 9"):
        tool.check(10)


def test_output_that_is_not_utf8(tmp_path: Path) -> None:
    said: list[str] = []
    with run(tmp_path, r"printf 'a\377b\n'", said) as tool:
        tool.wait(10)
    assert said == ["a\ufffdb"]


def test_stopping_ends_what_the_tool_started_too(tmp_path: Path) -> None:
    said: list[str] = []
    tool = run(tmp_path, "trap '' INT; sleep 300 & echo $!; wait", said)
    until(lambda: bool(said))
    started = time.monotonic()
    tool.stop(grace=0.3)
    assert 0.3 <= time.monotonic() - started < 5
    assert tool.poll() == -signal.SIGKILL
    until(lambda: not _alive(int(said[0])))
    tool.stop()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if not Path("/proc/self").exists():  # macOS
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
            return True
        return False


def test_the_block_ends_the_tool_whatever_happens(tmp_path: Path) -> None:
    said: list[str] = []
    tool = sleeper(tmp_path, said)
    until(lambda: bool(said))
    with pytest.raises(KeyboardInterrupt), tool:
        raise KeyboardInterrupt
    assert tool.poll() == -signal.SIGINT


def test_an_error_of_the_listener_comes_out_and_holds_nothing_up(tmp_path: Path) -> None:
    def say(line: str) -> None:
        raise ValueError(line)

    command = ("/bin/sh", "-c", "seq 20000; exit 4")
    with ToolRun.start("the tool", command, stdin="", log=tmp_path / "log", say=say) as tool:
        with pytest.raises(ValueError, match=r"^1$"):
            tool.wait(30)
        assert tool.poll() == 4
    assert len((tmp_path / "log").read_text().splitlines()) == 20000


def test_a_tool_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="the tool could not be started"):
        ToolRun.start("the tool", (str(tmp_path / "none"),), stdin="", log=tmp_path / "log", say=print)
