"""A command's section of the reference."""

from __future__ import annotations

from typing import Annotated

import typer

from commands_page import commands, section

_WANTED = """
## sohistio tool do

Do it to a &lt;thing>.

Exit 3 if it is \\*refused\\*.

```
sohistio tool do THING --to NAME [options]
```

| option | |
|---|---|
| `THING` | What it is done to. |
| `--to` `NAME` | Where to. Variable: `TO`. |
| `--count` `COUNT` | How often. Default: `3`. |
| `--loud` | Say so\\|shout. |

Examples:

```
sohistio tool do x --to qa   # once
```"""


def test_a_command_with_all_that_it_can_have() -> None:
    tool = typer.Typer(rich_markup_mode=None)

    @tool.command("do", epilog="sohistio tool do x --to qa   # once")
    def do(
        thing: Annotated[str, typer.Argument(metavar="THING", help="What it is done to.")],
        to: Annotated[str, typer.Option("--to", metavar="NAME", envvar="TO", help="Where to.")],
        count: Annotated[int, typer.Option("--count", help="How often.")] = 3,
        loud: Annotated[bool, typer.Option("--loud", help="Say so|shout.")] = False,
    ) -> None:
        """Do it to a <thing>.

        Exit 3 if it is *refused*.
        """

    @tool.command("secret", hidden=True)
    def secret() -> None:
        """Not listed."""

    app = typer.Typer(rich_markup_mode=None)
    app.add_typer(tool, name="tool")
    app.command("other")(secret)
    (found, other) = sorted(commands(typer.main.get_command(app)), key=lambda one: one.path, reverse=True)
    assert (found.path, other.path) == ("tool do", "other")
    assert section(found, frozenset()) == _WANTED
