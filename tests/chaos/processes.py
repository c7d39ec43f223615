"""The process of a function behind a connection, by /proc: Linux only."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

HEX_OF_LOCALHOST = "0100007F"


@dataclass(frozen=True)
class Process:
    """A running function. Its identifier may be another's once it has ended."""

    pid: int
    # Such as `processor`.
    function: str


class Processes:
    """The functions' processes of one emulator: those whose binary lies in its scratch folder."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch.resolve()
        # What Lambda calls a function, to its name here.
        self.functions: dict[str, str] = {}

    def behind(self, port: int) -> Process | None:
        """The process that has the connection from this port."""
        inode = inode_of(port)
        if inode is None:
            return None
        wanted = f"socket:[{inode}]"
        for pid in self._running():
            try:
                if any(os.readlink(link) == wanted for link in Path(f"/proc/{pid}/fd").iterdir()):
                    return Process(pid, self._function(pid))
            except OSError:
                continue
        return None

    def _function(self, pid: int) -> str:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        named = next((v for v in variables if v.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"")
        name = named.decode().partition("=")[2]
        return self.functions.get(name, name)

    def kill(self, process: Process) -> None:
        """Ends a process as a crash would."""
        try:
            if Path(os.readlink(f"/proc/{process.pid}/exe")).is_relative_to(self.scratch):
                os.kill(process.pid, signal.SIGKILL)
        except OSError:
            pass

    def _running(self) -> list[int]:
        found = []
        for link in Path("/proc").glob("[0-9]*/exe"):
            try:
                if Path(os.readlink(link)).is_relative_to(self.scratch):
                    found.append(int(link.parent.name))
            except OSError:
                continue
        return found


def inode_of(port: int) -> str | None:
    """The socket whose own end is this port of 127.0.0.1, as its process has it."""
    local = f"{HEX_OF_LOCALHOST}:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == local and fields[9] != "0":
            return fields[9]
    return None
