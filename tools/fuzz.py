"""Fuzzing: targets that are run, and the corpus that is kept.

    python tools/fuzz.py run frames_server --seconds 60 --sanitizer address
    python tools/fuzz.py run all --seconds 60
    python tools/fuzz.py corpus [TARGET ...]     what was found, minimised, into rust/fuzz/corpus

Needs a nightly toolchain and cargo-fuzz, and says how to get what is missing. What is found stays
in target/fuzz; inputs that crash a target are in target/fuzz/crashes/TARGET.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "rust" / "fuzz"
CORPUS = FUZZ / "corpus"
WORK = ROOT / "target" / "fuzz"
TARGETS = [
    "handshake_server",
    "handshake_client",
    "extension_header",
    "frames_server",
    "frames_client",
    "inflate",
    "utf8",
    "mask",
    "api_sequence",
    "end_to_end",
]
#: Of each length there is something to learn up to here, in bytes.
LONGEST = 2048
#: One input takes milliseconds; one that takes so many seconds hangs.
HANG = 10
#: Inputs that are kept of each target.
MOST = 400


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("target", choices=[*TARGETS, "all"])
    run.add_argument("--seconds", type=int, default=60)
    run.add_argument("--sanitizer", choices=["address", "none"], default="address")
    corpus = commands.add_parser("corpus")
    corpus.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    if why_not := missing():
        print(why_not, file=sys.stderr)
        return 2
    if options.command == "corpus":
        return max(minimise(target) for target in options.targets or TARGETS)
    targets = TARGETS if options.target == "all" else [options.target]
    return max(fuzz(target, options.seconds, options.sanitizer) for target in targets)


def missing() -> str:
    """Return what is not on the machine, and how to get it; nothing if all is there."""
    if shutil.which("rustup") is None:
        return "fuzzing needs rustup: https://rustup.rs"
    toolchains = subprocess.run(["rustup", "toolchain", "list"], capture_output=True, text=True)
    if "nightly" not in toolchains.stdout:
        return "fuzzing needs a nightly toolchain: rustup toolchain install nightly"
    if shutil.which("cargo-fuzz") is None:
        return "fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked"
    return ""


def cargo_fuzz(verb: str, target: str, sanitizer: str, flags: Sequence[str | Path]) -> list[str]:
    """Return a command of cargo-fuzz; without a sanitizer comparisons are not traced either."""
    fast = ["--no-trace-compares"] if sanitizer == "none" else []
    options = ["--fuzz-dir", FUZZ, "--target-dir", WORK / sanitizer, "--sanitizer", sanitizer]
    command = ["cargo", "+nightly", "fuzz", verb, *options, *fast, target, *flags]
    return [str(part) for part in command]


def found(target: str) -> Path:
    """Return where what was found is, which is not committed."""
    folder = WORK / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fuzz(target: str, seconds: int, sanitizer: str) -> int:
    """Fuzz a target; return the exit status."""
    crashes = WORK / "crashes" / target
    crashes.mkdir(parents=True, exist_ok=True)
    print(f"-- {target}: {seconds} s, sanitizer: {sanitizer}", flush=True)
    flags = [
        "--",
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={HANG}",
        f"-dict={FUZZ / 'ws13.dict'}",
        f"-artifact_prefix={crashes}/",
        "-print_final_stats=1",
    ]
    return call(cargo_fuzz("run", target, sanitizer, [found(target), CORPUS / target, *flags]))


def minimise(target: str) -> int:
    """Keep of the corpus, the seeds and what was found the fewest inputs that cover as much."""
    with tempfile.TemporaryDirectory() as folder:
        seeds, kept = Path(folder, "seeds"), Path(folder, "kept")
        kept.mkdir()
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        manifest, built = str(FUZZ / "bodies" / "Cargo.toml"), str(WORK / "stable")
        bodies = ["--quiet", "--manifest-path", manifest, "--target-dir", built]
        if status := call(["cargo", "run", *bodies, "--example", "seeds", "--", seeds]):
            return status
        folders = [kept, CORPUS / target, seeds / target, found(target)]
        flags = ["--", "-set_cover_merge=1", f"-max_len={LONGEST}", f"-timeout={HANG}"]
        if status := call(cargo_fuzz("run", target, "none", [*folders, *flags])):
            return status
        # Where there are too many, some of all sizes.
        inputs = sorted(kept.iterdir(), key=lambda path: (path.stat().st_size, path.name))
        number = min(MOST, len(inputs))
        shutil.rmtree(CORPUS / target)
        (CORPUS / target).mkdir()
        for path in (inputs[at * len(inputs) // number] for at in range(number)):
            shutil.copyfile(path, CORPUS / target / path.name)
        print(f"-- {target}: {len(inputs)} inputs, {number} kept", flush=True)
    return 0


def call(command: Sequence[str | Path]) -> int:
    """Run a command; return its exit status."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
