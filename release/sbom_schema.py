"""Whether a bill of materials is valid CycloneDX, by the schema of CycloneDX's own library. Run by `make release`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(path: Path) -> int:
    """Check a file. Gives the exit code."""
    text = path.read_text(encoding="utf-8")
    version = SchemaVersion.from_version(json.loads(text)["specVersion"])
    error = JsonStrictValidator(version).validate_str(text)
    if error is not None:
        print(f"{path.name} is no valid CycloneDX: {getattr(error.data, 'message', error.data)}", file=sys.stderr)
        return 1
    print(f"{path.name} is valid CycloneDX {version.to_version()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
