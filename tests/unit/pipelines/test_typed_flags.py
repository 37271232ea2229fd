"""pipelines/typed.sh: which flags may be typed into a run, and that every other option is refused. With real bash."""

from __future__ import annotations

import re
import subprocess

import pytest
import typer

from azure_agent import CHECKOUT
from sohistio.cli import app_for

COMMANDS = {
    "install": ("check", "plan", "install"),
    "uninstall": ("uninstall",),
    "failover": ("failover",),
    "failback": ("failback",),
    "rehearse": ("failover",),
    "verify": ("verify",),
}
MAY_BE_TYPED = {
    "install": "--skip-check --mode --via",
    "uninstall": "--skip-check --component-timeout --timeout --with-sidecars --restart-workloads --purge --include-ca",
    "failover": "--accept --because --watch --component-timeout --timeout --drain-prod",
    "failback": "--accept --because --watch --component-timeout --timeout",
    "rehearse": "--accept --because --component-timeout --timeout",
    "verify": "",
}
ALONE = ["--with-sidecars", "--restart-workloads", "--purge", "--include-ca", "--drain-prod"]
SHOWN = (
    'source pipelines/typed.sh; printf "%s\\n" "${words[@]}"; echo -; printf "%s\\n" "${version[@]}" "${approval[@]}"'
)


def typed(action: str, flags: str, **parameters: str) -> subprocess.CompletedProcess[str]:
    given = {"VERSION": "default", "REASON": "none", "CONFIRM": "none", "ACTION": action, "FLAGS": flags} | parameters
    return subprocess.run(
        ["/bin/bash", "-c", f"set -euo pipefail\n{SHOWN}"],
        cwd=CHECKOUT,
        env={f"TYPED_{name}": value for name, value in given.items()} | {"LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def options_of(command: str) -> dict[str, bool]:
    """Every option of a command, its short forms too, and whether it stands alone."""
    whole = typer.main.get_command(app_for([command]))
    params = whole.commands[command].params  # type: ignore[attr-defined]  # a group's
    return {flag: getattr(param, "is_flag", False) for param in params for flag in param.opts} | {"--help": True}


@pytest.mark.parametrize(("action", "options"), MAY_BE_TYPED.items())
def test_what_may_be_typed_is_an_option_of_every_command_of_the_action(action: str, options: str) -> None:
    for option in options.split():
        assert {options_of(command).get(option) for command in COMMANDS[action]} == {option in ALONE}, option
        form = option if option in ALONE else f"{option} value"
        for flags in {form, form.replace(" ", "=")}:
            done = typed(action, f" {flags}  ")
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            assert done.stdout.split("-\n")[0].split("\n")[:-1] == flags.split()


@pytest.mark.parametrize(("action", "options"), MAY_BE_TYPED.items())
def test_the_documentation_has_the_same_list(action: str, options: str) -> None:
    section = (CHECKOUT / "docs" / "pipeline.md").read_text().partition("### Flags")[2].partition("###")[0]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| {action} |"))
    assert set(re.findall(r"--[a-z-]+", row)) == set(options.split())


@pytest.mark.parametrize("action", COMMANDS)
def test_every_other_option_of_its_commands_is_refused(action: str) -> None:
    known = {flag for command in COMMANDS[action] for flag in options_of(command)}
    assert known > {"--env", "-e", "--help"} or known > {"--to", "--plan", "--help"}
    for option in known - set(MAY_BE_TYPED[action].split()):
        for flags in (option, f"{option} local", f"{option}=local", f"--skip-check x {option}"):
            done = typed(action, flags)
            assert (done.returncode, done.stdout) == (2, ""), flags
            assert "##vso[task.logissue type=error;code=wrong-usage]flags: " in done.stderr


@pytest.mark.parametrize(
    ("action", "flags", "said"),
    [
        ("install", "--env local", "flags: '--env' may not be typed. What to do: for install there are --skip-check, "),
        ("install", "--skip-check capacity --context=x", "flags: '--context=x' may not be typed"),
        ("install", "--skip-check", "flags: --skip-check has no value"),
        ("install", "--skip-check --env", "flags: --skip-check has no value"),
        ("install", "--skip-check=", "flags: '--skip-check=' may not be typed"),
        ("install", "--mode reinstall --skip-check", "flags: --skip-check has no value"),
        ("install", "--skip-check x\n--env local", "flags are not one line"),
        ("install", "--skip-check x\r", "flags are not one line"),
        ("install", "local", "flags: 'local' may not be typed"),
        ("install", "-elocal", "flags: '-elocal' may not be typed"),
        ("install", "--", "flags: '--' may not be typed"),
        ("install", "*", "flags: '?' may not be typed"),
        ("install", "--version 1.30.5", "version, reason and confirm are parameters of their own"),
        ("uninstall", "--purge=yes", "flags: '--purge=yes' may not be typed"),
        ("uninstall", "--purge --plan", "and --with-sidecars, --restart-workloads, --purge, --include-ca; environment"),
        ("failover", "--drain", "flags: '--drain' may not be typed"),
        ("verify", "--skip-check x", "What to do: for verify leave flags at none; environment, version"),
        ("verify", "##vso[task.complete]", "flags: '??vso?task.complete?' may not be typed"),
    ],
)
def test_what_is_wrong_is_said(action: str, flags: str, said: str) -> None:
    done = typed(action, flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("##") == done.stderr.count("\n") == 1


def test_the_other_parameters_are_words_of_their_own() -> None:
    done = typed("install", "--mode reinstall", VERSION="1.30.5 --env local", CONFIRM="prod --to x")
    assert done.stdout.split("\n") == [
        *("--mode", "reinstall", "--version", "1.30.5 --env local", "-"),
        *("--version", "1.30.5 --env local", "--yes", "--confirm", "prod --to x", ""),
    ]
