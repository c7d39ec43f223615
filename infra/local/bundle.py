"""Lays out what is deployed for a function: its binary as `bootstrap`, its configuration as `config/`.

Standard library only, as `make build` uses it without the virtual environment.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

DOCUMENT = "ordersync.toml"
SECRETS = "secrets.json"
# The minor version of glibc 2 on Amazon Linux 2023, which provided.al2023 runs on.
NEWEST_GLIBC = 34


class BundleError(Exception):
    """Something to bundle is missing; the message says what."""


def check_config(config: Path) -> None:
    if not config.is_dir():
        raise BundleError(f"{config} is not a directory: CONFIG names the directory of {DOCUMENT} and its templates")
    if not (config / DOCUMENT).is_file():
        raise BundleError(f"{config} has no {DOCUMENT}")


def check_binary(binary: Path) -> None:
    if not binary.is_file():
        raise BundleError(f"{binary} does not exist; build the functions first")


def bundle(binary: Path, config: Path, target: Path) -> None:
    """Replaces `target` with the binary and the configuration. Secrets never go along."""
    check_config(config)
    check_binary(binary)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy2(binary, target / "bootstrap")
    (target / "bootstrap").chmod(0o755)
    shutil.copytree(config, target / "config", ignore=shutil.ignore_patterns(SECRETS, ".*"))


def check_glibc(binary: Path) -> None:
    """A binary linked on a newer system than Amazon Linux 2023 would not start there."""
    check_binary(binary)
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", binary.read_bytes())]
    if max(versions, default=0) > NEWEST_GLIBC:
        raise BundleError(
            f"{binary} needs glibc 2.{max(versions)}, Lambda's Amazon Linux 2023 has 2.{NEWEST_GLIBC}; "
            "build on an older system, such as Debian 12, or with cargo-zigbuild"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, required=True, help="folder of the built binaries, such as target/release")
    parser.add_argument("--config", type=Path, required=True, help=f"directory with {DOCUMENT} and templates")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets one folder a function, such as target/lambda")
    parser.add_argument("functions", nargs="+", help="names of the functions")
    args = parser.parse_args()
    try:
        for function in args.functions:
            check_glibc(args.binaries / function)
            bundle(args.binaries / function, args.config, args.out / function)
            size = (args.out / function / "bootstrap").stat().st_size
            print(f"{args.out / function}/bootstrap  {size / 1e6:.1f} MB")
    except BundleError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
