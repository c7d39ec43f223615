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
    # Such as `processor`; nothing while the stack is being deployed.
    function: str


class Processes:
    """The functions' processes of one emulator: those whose binary lies in its scratch folder."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch.resolve()
        # What Lambda calls a function, to its name here.
        self.functions: dict[str, str] = {}

    def behind(self, port: int, to: int) -> Process | None:
        """The process that has the connection from one port to another."""
        inode = inode_of(port, to)
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
        return self.functions.get(name, "")

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


def inode_of(port: int, to: int) -> str | None:
    """The socket of a connection within 127.0.0.1, as the process at its beginning has it."""
    ends = [f"{HEX_OF_LOCALHOST}:{end:04X}" for end in (port, to)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        # The same port may have connections to others.
        if fields[1:3] == ends and fields[9] != "0":
            return fields[9]
    return None
