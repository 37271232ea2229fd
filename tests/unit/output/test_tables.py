"""Plans, checks and results as people read them, letter by letter."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import RenderableType

from plans import BAD, FRESH, GOOD, NOTHING, REFUSED, STANDBY, UPGRADE, V31, WARNED
from sohistio.checks.result import CheckResult
from sohistio.errors import FailedError
from sohistio.images.needed import Needed
from sohistio.model.held_back import HeldBack, Why
from sohistio.model.image import Image
from sohistio.model.state import ObjectRef
from sohistio.output.console import SafeConsole, console
from sohistio.output.fitted import Fitted
from sohistio.output.images_view import images_view
from sohistio.output.tables import checks_view, plan_view, result_line, show
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import LeftAlone, RestartWorkloads, VerifyMesh
from sohistio.planning.images import ListedImage
from sohistio.run.progress import RunResult, StepResult, StepState


def text_of(*parts: RenderableType, width: int = 100) -> str:
    """What a pipe or a file gets."""
    stream = io.StringIO()
    show(SafeConsole(stream, width=width), *parts)
    return stream.getvalue()


FRESH_TEXT = """\
environment  qa
cluster      https://aks-qa.example.com
installed    -
target       1.31.1
mode         install
because      no mesh: there is no istiod and nothing of one

Changes: 14 created, 0 changed, 0 removed
  istiod: 14 created

  + ConfigMap istio-system/c00
  + ConfigMap istio-system/c01
  + ConfigMap istio-system/c02
  + ConfigMap istio-system/c03
  + ConfigMap istio-system/c04
  + ConfigMap istio-system/c05
  + ConfigMap istio-system/c06
  + ConfigMap istio-system/c07
  + ConfigMap istio-system/c08
  + ConfigMap istio-system/c09
  + ConfigMap istio-system/c10
  + ConfigMap istio-system/c11
  and 2 more (--diff shows all)

phase            step                                             risk
control-plane    install Istio 1.31.1                             change
                 wait for istio-ingressgateway ≥ 3, istiod ≥ 3    read
verify           verify the mesh of 1.31.1                        read
"""

UPGRADE_TEXT = """\
environment  qa
cluster      https://aks-qa.example.com
installed    1.30.5
target       1.31.1
mode         upgrade
because      1.30.5 is installed; 1.31.1 is the next minor, newer

Changes: 0 created, 1 changed, 1 removed
  istiod: 1 changed
  other: 1 removed

  ~ HorizontalPodAutoscaler istio-system/istiod
      spec.maxReplicas: 20 → 10 (set by kubectl-edit)
  - Service istio-system/old

phase            step                                                      risk
backup           back up custom resources and what is installed            read
control-plane    upgrade to Istio 1.31.1                                   change
                 wait for istio-ingressgateway ≥ 3, istiod ≥ 3             read
sidecars         restart 2 workloads without the sidecar proxyv2:1.31.1    change
                   Deployment shop/db
                   Deployment shop/web
verify           verify the mesh of 1.31.1                                 read

Left alone:
  Deployment shop/legacy: opted out of injection
Note: somebody should know this
"""

NOTHING_TEXT = """\
environment  qa
cluster      https://aks-qa.example.com
installed    1.31.1
target       1.31.1
mode         none (up to date)
because      1.31.1 is installed and differs in nothing
"""

REFUSED_TEXT = """\
environment  qa
cluster      https://[fd00::1]:443
installed    -
target       1.31.1
mode         unknown
because      Deployments: forbidden: User "nosy" cannot list [/apis/apps/v1]
             Pods: forbidden
"""

STANDBY_TEXT = """\
environment  dr
cluster      https://aks-dr.example.com
installed    -
target       1.31.1
mode         install
because      no mesh: there is no istiod and nothing of one

phase            step                                                        risk
control-plane    install Istio 1.31.1                                        change
                 wait for istiod ≥ 3                                         read
standby          keep istio-egressgateway, istio-ingressgateway at 0 pods    change
verify           verify the mesh of 1.31.1                                   read
"""


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        pytest.param(FRESH, FRESH_TEXT, id="fresh-install"),
        pytest.param(UPGRADE, UPGRADE_TEXT, id="upgrade-with-restarts"),
        pytest.param(NOTHING, NOTHING_TEXT, id="nothing-to-do"),
        pytest.param(REFUSED, REFUSED_TEXT, id="refused"),
        pytest.param(STANDBY, STANDBY_TEXT, id="standby"),
    ],
)
def test_a_plan(plan: Plan, text: str) -> None:
    assert text_of(plan_view(plan)) == text


def test_a_narrow_screen_folds_long_names_and_cuts_none() -> None:
    cluster = "https://aks-qa-0123456789abcdef.privatelink.westeurope.azmk8s.io"
    step = VerifyMesh("verify/mesh", "prove that an-application-with-a-long-name.corp.example.com leads to dr", V31)
    text = text_of(plan_view(replace(UPGRADE, cluster=cluster, phases=(Phase("verify", (step,)),))), width=40)
    assert "…" not in text
    assert all(part in text for part in ("https://aks", "azmk8s.io", "an-applica", "leads to dr"))


def test_every_object_and_field_on_demand() -> None:
    text = text_of(plan_view(FRESH, diff=True))
    assert "ConfigMap istio-system/c13" in text
    assert "--diff" not in text


def test_checks_with_hints_where_they_do_not_hold() -> None:
    assert (
        text_of(checks_view((GOOD, BAD, WARNED)))
        == """\
√  istiod-version    istiod runs 1.31.1
×  pods-ready        istiod 2/3 ready
                     → describe it
‼  sidecars-current  paused [/shop]
                     → restart it
"""
    )


def test_no_checks_print_nothing() -> None:
    assert text_of(checks_view(())) == ""


def result(*checks: CheckResult, failed: bool = False) -> RunResult:
    error = FailedError("broke") if failed else None
    first, *rest = FRESH.steps
    after = StepState.NOT_STARTED if failed else StepState.DONE
    steps = (StepResult(first, StepState.DONE, 1.0), *(StepResult(step, after, 0.0) for step in rest))
    return RunResult(FRESH, steps, checks, error, 12.34)


@pytest.mark.parametrize(
    ("run", "line"),
    [
        pytest.param(
            result(GOOD, WARNED),
            "qa: Istio 1.31.1 is in place and verified: 14 changed, 0 replaced, 0 restarts, 0 addresses touched "
            "(12.3 s)",
            id="done",
        ),
        pytest.param(result(BAD), "qa: applied, but verification failed (12.3 s)", id="not-verified"),
        pytest.param(result(failed=True), "qa: stopped after 1 of 3 steps, 12.3 s", id="failed"),
    ],
)
def test_how_a_run_ended(run: RunResult, line: str) -> None:
    assert text_of(result_line(run)) == f"{line}\n"


def test_parts_are_set_apart() -> None:
    assert text_of(result_line(result(BAD)), checks_view(()), result_line(result(BAD))).count("\n\n") == 1


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_colours_by_force_are_no_terminal_without_end(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn for a terminal goes to the log as plain lines."""
    monkeypatch.setenv(variable, "1")
    stream = io.StringIO()
    show(SafeConsole(stream, width=80), checks_view((GOOD,)))
    assert GOOD.name in stream.getvalue()


def test_in_a_pipe_a_row_stays_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """However long: names are not cut in two, and somebody else's text does not begin a line."""
    name = f"registry.example.com/{'deep/' * 60}pilot:1.31.1"
    words = "error: it is so " * 40
    show(console(), Fitted(("image", "why"), [(name, words.strip()), ("b", "c")], prose=1))
    show(console(), checks_view((replace(GOOD, message=f"{words}{name}"), GOOD)))
    images, checks = capsys.readouterr().out.split("b" + " " * (len(name) + 3))
    header, row = images.splitlines()
    assert header.split() == ["image", "why"]
    assert row.split() == [name, *words.split()]
    _, first, _ = checks.splitlines()
    assert first.split()[2:] == [*words.split(), name]


def test_the_images_of_a_version_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    image = Image("registry.example.com", "a-folder/of-many-letters/proxyv2", "1.31.1")
    listed = ListedImage(Needed(image, ("injected pods", "Deployment edge/gateway-of-partners")), None)
    show(console(), *images_view([listed], ("docker.io/istio", "registry.example.com/istio"), "qa"))
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(str(image)))
    assert row.split("  ")[-1] == "injected pods, gateway-of-partners"


def test_what_is_left_alone_is_said_once_with_what_to_do() -> None:
    refs = tuple(ObjectRef("Deployment", "shop", f"w{number:02}") for number in range(20))
    rewritten = LeftAlone(refs[0], "its pods run another image", "Delete one such pod.")
    paused = LeftAlone(refs[1], "paused: its rollout is somebody's decision")
    step = RestartWorkloads("sidecars/restart", "restart", refs[19:], (rewritten, paused))
    long = "y" * 500
    held = (
        HeldBack(refs[2], Why.ANNOTATION, "annotation sohistio.io/restart is 'no', expected never"),
        HeldBack(refs[3], Why.OPT_OUT, f"opted out of restarts by its annotation: {long}", text=long),
        *(HeldBack(ref, Why.LIMIT, "not within --limit 1") for ref in refs[4:18]),
    )
    text = text_of(plan_view(replace(NOTHING, phases=(Phase("sidecars", (step,)),), held_back=held)), width=400)
    left = text[text.index("Left alone:\n") :].splitlines()[1:]
    assert left[:5] == [
        "  Deployment shop/w00: its pods run another image",
        "    → Delete one such pod.",
        "  Deployment shop/w01: paused: its rollout is somebody's decision",
        "  Deployment shop/w02: annotation sohistio.io/restart is 'no', expected never",
        "    → Correct it or remove it: docs/restarts.md lists what may be written.",
    ]
    assert left[5] == f"  Deployment shop/w03: opted out of restarts by its annotation: {'y' * 119}…"
    assert left[6].startswith("  Deployment shop/w04, Deployment shop/w05, ")
    assert left[6].endswith(" and 4 more: not within --limit 1")
    assert len(left) == 7
