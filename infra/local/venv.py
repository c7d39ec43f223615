"""Makes the virtual environment and installs pinned requirements, once for each change of them.

Standard library only: it runs under the machine's Python, before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# ministack does not run on older ones.
OLDEST = (3, 10)


def fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


def stamp_of(requirements: Path) -> str:
    """What has to be the same for an installation to be the right one."""
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(repr(sys.version_info[:3]).encode())
    return digest.hexdigest()


def create(venv: Path) -> None:
    print(f"creating a Python environment in {venv}", flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(venv)])
    if made.returncode != 0:
        shutil.rmtree(venv, ignore_errors=True)
        fail("Python cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv")


def install(venv: Path, requirements: Path) -> None:
    stamp = venv / f".{requirements.stem}"
    wanted = stamp_of(requirements)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"installing {requirements} into {venv}", flush=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    # The files have the hash of every package, those that packages need among them, so there is nothing to resolve: pip would
    # look for newer versions of what is named with extras, and refuse those for want of a hash.
    locked = ["--no-deps", "--require-hashes", "-r", str(requirements)]
    if subprocess.run([*pip, "install", "--quiet", *locked]).returncode != 0:
        fail(f"pip could not install {requirements}; is the package index reachable?")
    stamp.write_text(wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("venv", type=Path, help="folder of the environment")
    parser.add_argument("requirements", type=Path, nargs="+", help="files of pinned packages")
    args = parser.parse_args()

    if sys.version_info < OLDEST:
        need = ".".join(map(str, OLDEST))
        fail(f"Python {need} or newer is needed, this is {sys.version.split()[0]}: https://www.python.org/downloads/")
    interpreter = args.venv / "bin" / "python"
    # It may be a link to a Python that has gone, or a creation that was interrupted.
    if not interpreter.exists() or subprocess.run([interpreter, "-c", "import pip"]).returncode != 0:
        create(args.venv)
    for requirements in args.requirements:
        install(args.venv, requirements)


if __name__ == "__main__":
    main()
