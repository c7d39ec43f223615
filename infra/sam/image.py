"""The image that functions run in: AWS's own where it can be had, otherwise a stand-in made from this machine's files."""

from __future__ import annotations

import io
import platform
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
REAL = f"public.ecr.aws/lambda/provided:al2023-{ARCHITECTURE}"
STAND_IN = "ordersync/provided-stand-in"
# sam puts Lambda's runtime interface emulator upon an image with these; the functions need no program.
PROGRAMS = ("bash", "chmod", "mv")
# What the functions are linked with, as `make build` checks.
LIBRARIES = ("libc.so.6", "libm.so.6", "libgcc_s.so.1")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SETTINGS = [
    "ENV PATH=/bin LANG=C.UTF-8 LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime",
    "WORKDIR /var/task",
]
FOLDERS = ("tmp", "var/task", "var/runtime", "opt")


class ImageError(Exception):
    """There is no image to run functions in; the message says why."""


def runtime_image(client: DockerClient) -> list[str]:
    """Gives what `sam local` has to be told of the image."""
    try:
        client.images.get(REAL)
        print(f"image      {REAL}, which is here already")
        return []
    except ImageNotFound:
        pass
    try:
        client.images.pull(REAL)
        print(f"image      {REAL}")
        return []
    except DockerException as error:
        reason = str(getattr(error, "explanation", None) or error).splitlines()[0]
    name = stand_in(client)
    print(f"image      {name}, a stand-in made from this machine's files, as AWS's cannot be had: {reason}")
    return ["--invoke-image", name]


def stand_in(client: DockerClient) -> str:
    """Makes the stand-in anew: it costs a second, and what is on this machine may have changed."""
    if platform.system() != "Linux":
        raise ImageError(f"the stand-in for {REAL} is made from the files of a Linux machine, which this is not")
    name = f"{STAND_IN}:{ARCHITECTURE}"
    # Made by sam upon an earlier one.
    for old in (f"{STAND_IN}:rapid-{ARCHITECTURE}", name):
        try:
            client.images.remove(old, force=True)
        except ImageNotFound:
            pass
    client.api.import_image_from_data(archive(), repository=STAND_IN, tag=ARCHITECTURE, changes=SETTINGS)
    return name


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as files:
        for folder in FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            files.addfile(entry)
        for name, path in sorted(contents().items()):
            files.add(path.resolve(), name.lstrip("/"))
        shell = tarfile.TarInfo("bin/sh")
        shell.type, shell.linkname = tarfile.SYMTYPE, "bash"
        files.addfile(shell)
    return packed.getvalue()


def contents() -> dict[str, Path]:
    """Name in the image to file of this machine."""
    programs = {f"/bin/{name}": Path(found(name)) for name in PROGRAMS}
    libraries = {path: Path(path) for program in programs.values() for path in linked(program)}
    folder = next(Path(path).parent for path in libraries if path.endswith("/libc.so.6"))
    for library in LIBRARIES:
        libraries[str(folder / library)] = folder / library
    certificates = {str(CERTIFICATES): CERTIFICATES} if CERTIFICATES.is_file() else {}
    return programs | libraries | certificates


def found(program: str) -> str:
    path = shutil.which(program)
    if not path:
        raise ImageError(f"the stand-in needs the program {program}, which this machine does not have")
    return path


def linked(program: Path) -> list[str]:
    """The libraries that a program needs, the loader among them."""
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True)
    return re.findall(r"(/\S+) \(0x", told.stdout)
