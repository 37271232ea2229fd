"""The option that commands with checks share: how their results are shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from sohistio.commands.options import OptionGroup, output_format


class ReportFormat(StrEnum):
    """For people, for machines, for a pipeline's test results."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


class ReportForm(OptionGroup):
    """How the results of checks are shown."""

    output: Annotated[ReportFormat, output_format(help="table, json or junit.")] = ReportFormat.TABLE
