"""The ldx of this tree: building it, and its command line."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "assets" / "model"


def build(folder: Path) -> Path:
    """Compile ldx into folder and return the program's path."""
    go = shutil.which("go")
    if go is None:
        raise SystemExit("go is not on the path; install Go to build ldx")
    program = folder / ("ldx.exe" if os.name == "nt" else "ldx")
    subprocess.run([go, "build", "-o", str(program), "."], cwd=REPOSITORY, check=True)
    return program


def run_command(program: Path, **flags: object) -> list[str]:
    """`ldx run` with flags; output_file=x is --output-file=x, None is left out, True stands alone."""
    command = [str(program), "run"]
    for name, value in flags.items():
        if value is not None:
            flag = "--" + name.replace("_", "-")
            command.append(flag if value is True else f"{flag}={value}")
    return command
