"""`sohistio promote`, as a process: whose turn it is, and when there is nothing to promote. No cluster is asked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from agent_reading import read
from command_line import run
from environment_folder import QA, environment_folder

SCHEMA = Path(__file__).parents[3] / "docs/schemas/promotion.schema.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = environment_folder(tmp_path)
    for name, text in (
        ("prod", QA.replace("qa", "prod") + "promotesFrom: qa\n"),
        ("dr", "name: dr\nstandbyOf: prod\ncluster: {context: aks-dr}\n"),
    ):
        (root / name).mkdir()
        (root / name / "environment.yaml").write_text(text)
    return tmp_path


def promote(folder: Path, *arguments: str, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
    done = run("promote", *arguments, cwd=folder, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_nothing_to_promote(folder: Path) -> None:
    assert promote(folder, "--to", "dr", "--write", code=0).stdout == (
        "qa → prod → dr: dr gets what prod has\n"
        "\n"
        "Note: not promoted, as each environment has its own: ingressAddress, cluster\n"
        "Nothing to promote: dr has Istio 1.31.1 and the settings of prod already.\n"
    )
    found = json.loads(promote(folder, "--from", "qa", "--to", "prod", "--output", "json", code=0).stdout)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert (found["result"], found["chain"], found["checks"]) == ("nothingToPromote", ["qa", "prod"], [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("--from", "qa", "--to", "dr"),
            3,
            "Error: dr is promoted from prod; --from qa skips prod.\n  qa → prod → dr\n",
        ),
        (("--from", "dr", "--to", "prod"), 3, "prod is promoted from qa; --from dr is not in its chain"),
        (("--to", "qa"), 2, "Set `promotesFrom: NAME` in environments/qa/environment.yaml"),
        (("--from", "dr", "--to", "qa"), 2, "Set `promotesFrom: dr` in environments/qa/environment.yaml"),
        (("--from", "qaa", "--to", "prod"), 2, "There is no environment named 'qaa'.\nWhat to do: Did you mean qa?"),
        (("--to", "nowhere"), 2, "There is no environment named 'nowhere'"),
        (("--to", "prod", "--soak", "soon"), 2, "--soak 'soon' is not a duration"),
        (("--from", "qa"), 2, "--to"),
    ],
)
def test_whose_turn_it_is(folder: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in promote(folder, *arguments, code=code).stderr


def test_a_source_without_a_cluster_speaks_against_it_and_the_diff_is_shown(folder: Path) -> None:
    (folder / "environments/qa/environment.yaml").write_text(f"{QA}istio: {{version: 1.31.2}}\n")
    file = folder / "environments/prod/environment.yaml"
    before = file.read_text()
    shown = promote(folder, "--to", "prod", "--write", code=3).stdout
    assert "+istio:\n+  version: 1.31.2\n" in shown
    assert "\n×  source-cluster  " in shown
    assert shown.endswith("speak against it: source-cluster, images. Nothing was written.\n")
    assert file.read_text() == before


def test_a_pipeline_is_told_of_what_speaks_against_it(folder: Path) -> None:
    agent = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(folder)}
    (folder / "environments/qa/environment.yaml").write_text(f"{QA}istio: {{version: 1.31.2}}\n")
    log = read(promote(folder, "--to", "prod", code=3, **agent).stderr)
    told = {"outcome": "refused", "exitCode": "3", "environment": "prod", "failures": "2"}
    assert log.variables.items() >= told.items()
    assert {code for code, _ in log.issues("error")} == {"source-cluster", "images"}
    assert "source-cluster" in (folder / "sohistio-promote-prod.md").read_text()
    idle = read(promote(folder, "--to", "dr", code=0, **agent).stderr)
    assert (idle.variables["outcome"], idle.variables["environment"], idle.issues("error")) == ("done", "dr", [])
