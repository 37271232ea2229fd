"""A person's own defaults on real command lines: flag, variable, file, built-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environ
from environment_folder import environment_folder
from warm import WARM

FOLDER = Path(__file__).parents[3] / "environments"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config" / "sohistio").mkdir(parents=True)
    return tmp_path


def config(home: Path, text: str) -> Path:
    path = home / ".config" / "sohistio" / "config.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The defaults are those of this home."""
    mine = environ(HOME=str(home), **variables)
    if "SOHISTIO_CONFIG" not in variables:
        del mine["SOHISTIO_CONFIG"]
    return WARM.run(arguments, cwd=home, env=mine, timeout=120)


def test_flag_then_variable_then_file_then_what_is_built_in(home: Path) -> None:
    path = config(home, f"env: qa\nenvironments: {FOLDER}\n")
    for arguments, variables, name in (
        (("--env", "dev"), {"SOHISTIO_ENV": "prod"}, "dev"),
        ((), {"SOHISTIO_ENV": "prod"}, "prod"),
        ((), {}, "qa"),
    ):
        shown = run(home, "render", *arguments, **variables)
        assert shown.returncode == 0, shown.stderr
        address = run(home, "env", "show", name, "--output", "json")
        assert json.loads(address.stdout)["environment"]["ingressAddress"] in shown.stdout
        said = f"environment qa, the default of {path}\n"
        assert (said in shown.stderr) == (name == "qa"), "it is said where only the file says it"
    missing = run(home, "render", SOHISTIO_CONFIG=os.devnull)
    assert (missing.returncode, "Missing option '--env'" in missing.stderr) == (2, True)


def test_json_by_default_is_json_for_errors_too(home: Path) -> None:
    config(home, "output: json\n")
    listed = run(home, "env", "list", "--environments", str(FOLDER))
    assert json.loads(listed.stdout)["kind"] == "EnvironmentList"
    for wrong in (("env", "list", "--environments", "nowhere"), ("env", "list", "--nothing")):
        done = run(home, *wrong)
        assert (done.returncode, json.loads(done.stdout)["kind"]) == (2, "Error")
    for people in ({"SOHISTIO_OUTPUT": "table"}, {"SOHISTIO_CONFIG": os.devnull}):
        assert run(home, "env", "list", "--environments", str(FOLDER), **people).stdout.startswith("NAME ")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("status", "--watch", "--html", "nowhere/fleet.html"), "the page could not be written to nowhere/fleet.html"),
        (("check", "--short"), "no environment is named"),
    ],
)
def test_a_flag_wins_over_a_form_by_default(home: Path, arguments: tuple[str, ...], what: str) -> None:
    """It goes on until something else is wrong; a form that is given beside it is refused."""
    config(home, f"output: json\nenvironments: {FOLDER}\n")
    done = run(home, *arguments)
    assert (done.returncode, json.loads(done.stdout)["error"]["what"]) == (2, what)
    both = run(home, *arguments, "--output", "json")
    assert (both.returncode, json.loads(both.stdout)["error"]["what"]) != (2, what)


def test_another_tools_help_is_not_ones_own(home: Path) -> None:
    path = config(home, f"env: qa\nenvironments: {FOLDER}\n")
    done = run(home, "istioctl", "--", "analyze", "--help")
    assert f"environment qa, the default of {path}\n" in done.stderr
    assert "Missing option" not in done.stderr


def test_a_file_that_is_not_valid_stops_a_command_and_not_its_help(home: Path) -> None:
    path = config(home, "env: qa\nyes: true\n")
    done = run(home, "install", "--environments", str(FOLDER))
    assert done.returncode == 2
    assert f"{path}:2: yes: approves or decides something" in done.stderr
    assert "Traceback" not in done.stderr
    for answers in (("install", "--help"), ("version",)):
        assert run(home, *answers).returncode == 0


def test_a_folder_in_the_files_place_is_told(home: Path) -> None:
    (home / ".config" / "sohistio" / "config.yaml").mkdir()
    done = run(home, "env", "list", "--environments", str(FOLDER))
    assert (done.returncode, "is not a file" in done.stderr) == (2, True)


def test_an_agents_home_is_not_a_persons(home: Path) -> None:
    path = config(home, "output: json\n")
    command = ("env", "list", "--environments", str(FOLDER))
    assert run(home, *command, TF_BUILD="True").stdout.startswith("NAME ")
    assert json.loads(run(home, *command, TF_BUILD="True", SOHISTIO_CONFIG=str(path)).stdout)


def test_status_still_shows_every_environment(home: Path) -> None:
    root = environment_folder(home)
    (root / "uat").mkdir()
    (root / "uat" / "environment.yaml").write_text("name: uat\ncluster: {context: aks-uat}\n")
    config(home, "env: qa\noutput: json\n")
    shown = json.loads(run(home, "status", KUBECONFIG=os.devnull).stdout)
    assert [item["environment"] for item in shown["environments"]] == ["qa", "uat"]


def test_yaml_is_not_loaded_where_there_is_no_file(home: Path) -> None:
    code = (
        "import sys; from sohistio.__main__ import main\ntry: main()\nexcept SystemExit: print('yaml' in sys.modules)"
    )
    for arguments in (("version",), ("render", "--help")):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.endswith("False\n")
