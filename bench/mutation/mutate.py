"""Mutation testing of package samplers: what share of small changes do its tests notice?

    python bench/mutation/mutate.py --sample 240 --seed 1 --results mutants.json

gremlins (github.com/go-gremlins/gremlins) lists the changes with its dry run; this takes a random sample of them and
makes each by itself, in a copy of the package, one at a time. With several workers, gremlins counts tests that ran out
of time on a busy machine as having noticed, and a run over everything takes hours. A change is tried against the quick
tests first, and against the slow ones if it survives. --results keeps what is done: a run that is cut off goes on
there, and with --again survivors are tried once more, as tests may have come since; one whose line is no longer
there is left out. Exit status 1: fewer than 90 % are caught.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SLOW = "Replayable|FromAnywhere|NothingIsFused"
KINDS = ["--invert-assignments", "--invert-logical", "--invert-loopctrl"]  # beside gremlins' default ones
WANT = 0.9
CHANGES: dict[str, dict[str, str]] = {
    "ARITHMETIC_BASE": {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*"},
    "CONDITIONALS_BOUNDARY": {"<=": "<", ">=": ">", "<": "<=", ">": ">="},
    "CONDITIONALS_NEGATION": {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">=", ">": "<="},
    "INCREMENT_DECREMENT": {"++": "--", "--": "++"},
    "INVERT_ASSIGNMENTS": {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "%=": "*="},
    "INVERT_LOGICAL": {"&&": "||", "||": "&&"},
    "INVERT_LOOPCTRL": {"break": "continue", "continue": "break"},
    "INVERT_NEGATIVES": {"-": "+"},
}


def copy_package(to: Path) -> Path:
    """The module with nothing in it but the package."""
    for name in ("go.mod", "go.sum"):
        shutil.copy(ROOT / name, to)
    shutil.copytree(ROOT / "samplers", to / "samplers")
    return to / "samplers"


def listed(gremlins: str, module: Path) -> list[dict]:
    """Every change that gremlins would make, covered by a test or not."""
    out = module / "list.json"
    command = [gremlins, "unleash", "--dry-run", *KINDS, "--workers", "1", "-o", str(out), "./samplers"]
    subprocess.run(command, cwd=module, check=True, stdout=subprocess.DEVNULL)
    found = [
        {"file": f["file_name"], "line": m["line"], "column": m["column"], "kind": m["type"]}
        for f in json.loads(out.read_text())["files"]
        for m in f["mutations"]
    ]
    return sorted(found, key=lambda m: (m["file"], m["line"], m["column"], m["kind"]))


def changed(text: bytes, mutant: dict) -> bytes:
    """The file with the change made; columns count bytes from 1."""
    lines = text.split(b"\n")
    line, at = lines[mutant["line"] - 1], mutant["column"] - 1
    for old, new in CHANGES[mutant["kind"]].items():
        if line[at:].startswith(old.encode()):
            mutant["change"] = f"{old} to {new}"
            mutant["text"] = line.decode().strip()
            lines[mutant["line"] - 1] = line[:at] + new.encode() + line[at + len(old) :]
            return b"\n".join(lines)
    raise SystemExit(f"nothing to change for {mutant}")


def tried(package: Path, seconds: int) -> str:
    """What the tests make of the package as it is."""
    for flags in (["-skip", SLOW], ["-run", SLOW]):
        command = ["go", "test", "-failfast", f"-timeout={seconds}s", *flags, "."]
        done = subprocess.run(command, cwd=package, capture_output=True, text=True, env=os.environ | {"GOFLAGS": ""})
        if "[build failed]" in done.stdout or "[setup failed]" in done.stdout:
            return "not viable"
        if "panic: test timed out" in done.stdout:
            return "timed out"
        if done.returncode != 0:
            return "caught"
    return "survived"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gremlins", default="gremlins", help="the program")
    parser.add_argument("--sample", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=120, help="limit for the tests of one change")
    parser.add_argument("--results", type=Path, required=True, help="a JSON file, made or gone on with")
    parser.add_argument("--again", action="store_true", help="try the survivors once more")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        package = copy_package(Path(work))
        if (status := tried(package, a.seconds)) != "survived":
            raise SystemExit(f"the tests fail without any change: {status}")
        if a.results.exists():
            sample = json.loads(a.results.read_text())
        else:
            found = listed(a.gremlins, package.parent)
            print(f"{len(found)} changes in all")
            sample = random.Random(a.seed).sample(found, min(a.sample, len(found)))
        for i, mutant in enumerate(sample):
            if "status" in mutant and not (a.again and mutant["status"] == "survived"):
                continue
            path = package / mutant["file"]
            text = path.read_bytes()
            if "text" in mutant and text.split(b"\n")[mutant["line"] - 1].decode().strip() != mutant["text"]:
                mutant["status"] = "gone"
                a.results.write_text(json.dumps(sample, indent=1))
                continue
            path.write_bytes(changed(text, mutant))
            mutant["status"] = tried(package, a.seconds)
            path.write_bytes(text)
            a.results.write_text(json.dumps(sample, indent=1))
            where = f"{mutant['file']}:{mutant['line']}:{mutant['column']}"
            print(f"{i + 1}/{len(sample)} {mutant['status']}: {where} {mutant['change']}", flush=True)
    counts = Counter(m["status"] for m in sample)
    caught = counts["caught"] + counts["timed out"]
    share = caught / max(caught + counts["survived"], 1)
    print(f"{dict(counts)}: {100 * share:.1f} % caught")
    return 0 if share >= WANT else 1


if __name__ == "__main__":
    sys.exit(main())
