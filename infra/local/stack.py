"""The local stack: template.yaml on an AWS emulator, without containers and without an account.

`make up`, `make down` and `make logs` are the ordinary way to call this.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import bundle
import console
import emulator
from deploy import DeployError, Deployment, read_secrets, stage, StartError
from emulator import Emulator, EmulatorError
from logs import print_logs

DEFAULT_PORT = 4566


def parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not Name=value")
    return name, value


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Two calls at once on one state directory would start two emulators."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another `up` or `down` of this stack", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def up(args: argparse.Namespace) -> None:
    began = time.monotonic()
    # All that can be wrong with the input comes first: nothing is started for nothing.
    bundle.check_config(args.config)
    signing_in = console.sign_in(args.state)
    # Who tests the console has users of their own.
    secrets = {console.SECRET: signing_in.document} | read_secrets(args.config)
    staged = args.state / "stack"
    template = stage(args.template, args.binaries, args.config, staged)
    for name, _ in args.parameters:
        if name not in template["Parameters"]:
            raise DeployError(f"{args.template} has no parameter {name}; it has {', '.join(template['Parameters'])}")

    machine = Emulator(args.state, args.functions_endpoint)
    process = machine.running()
    again = process is not None
    if process:
        print(f"the local stack is already running at {emulator.endpoint(process.port)} (pid {process.pid}); deploying again")
        if args.port not in (None, 0, process.port):
            raise EmulatorError(f"it is on port {process.port}, not {args.port}; to move it, end it with `down` first")
    else:
        process = machine.start(DEFAULT_PORT if args.port is None else args.port)
        print(f"emulator at {emulator.endpoint(process.port)} (pid {process.pid})", flush=True)
    try:
        deployment = Deployment(process.port, staged)
        deployment.deploy(template, secrets, dict(args.parameters))
        if again:
            deployment.restart_functions()
        deployment.check_start()
        environment = deployment.environment()
    except BaseException as error:
        if not isinstance(error, (StartError, KeyboardInterrupt)):
            print(f"the end of {machine.log}:\n{machine.log_tail()}", file=sys.stderr)
        if not again:
            machine.stop()
        raise error
    env_file = args.state / "stack.env"
    has_console = "CONSOLE_URL" in environment
    # Who has users of their own in the configuration's secrets knows their passwords.
    has_own = secrets[console.SECRET] != signing_in.document
    if has_console and not has_own:
        environment |= {"CONSOLE_USER": signing_in.user, "CONSOLE_PASSWORD": signing_in.password}
    env_file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
    print(f"deployed {args.config} with {len(secrets)} secrets in {time.monotonic() - began:.1f} s")
    print(f"webhooks   {environment['API_URL']}/webhooks/{{shop}}")
    if has_console:
        who = f"one of the users of {args.config}/{bundle.SECRETS}" if has_own else f"{signing_in.user} with {signing_in.password}"
        print(f"console    {environment['CONSOLE_URL']}\n           sign in as {who}")
    print(f"variables  {env_file}")


def down(args: argparse.Namespace) -> None:
    machine = Emulator(args.state)
    process = machine.recorded()
    ended = machine.stop()
    (args.state / "stack.env").unlink(missing_ok=True)
    if ended:
        print(f"ended the local stack at {emulator.endpoint(process.port)} (pid {process.pid})")
    elif process:
        print(f"the local stack (pid {process.pid}) had already gone; cleaned up after it")
    else:
        print("no local stack is running")


def start_afresh(
    state: Path,
    config: Path,
    binaries: Path,
    parameters: Mapping[str, str],
    port: int = 0,
    functions_endpoint: str | None = None,
) -> dict[str, str]:
    """Starts a stack for a program, in a folder that it has locked. One that a killed run has left behind is not used again.
    Gives the variables of stack.env."""
    Emulator(state).stop()
    up(
        argparse.Namespace(
            state=state,
            port=port,
            config=config,
            binaries=binaries,
            template=Path(__file__).resolve().parents[2] / "template.yaml",
            functions_endpoint=functions_endpoint,
            parameters=list(parameters.items()),
        )
    )
    lines = (state / "stack.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def end(state: Path) -> None:
    """Ends the stack of a program, in a folder that it has locked."""
    down(argparse.Namespace(state=state))


def logs(args: argparse.Namespace) -> None:
    process = Emulator(args.state).running()
    if not process:
        raise EmulatorError("no local stack is running")
    try:
        print_logs(Deployment(process.port, args.state / "stack"), args.function, args.follow)
    except (KeyboardInterrupt, BrokenPipeError):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of this stack's files (default: .local)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("up", help="start the emulator, or use the one that runs, and deploy")
    command.add_argument("--port", type=int, help="port on 127.0.0.1; 0 takes a free one (default: 4566)")
    command.add_argument("--config", type=Path, required=True, help=f"directory with {bundle.DOCUMENT}, templates and {bundle.SECRETS}")
    command.add_argument("--binaries", type=Path, default=Path("target/debug"), help="folder of the built functions (default: target/debug)")
    command.add_argument("--template", type=Path, default=Path("template.yaml"), help="SAM template (default: template.yaml)")
    command.add_argument("--functions-endpoint", help="URL at which the functions find AWS, such as that of a proxy that makes faults")
    command.add_argument("parameters", nargs="*", type=parameter, metavar="Name=value", help="parameters of the template")
    command.set_defaults(run=up, locks=True)

    command = commands.add_parser("down", help="end what `up` started")
    command.set_defaults(run=down, locks=True)

    command = commands.add_parser("logs", help="print what the functions have logged")
    command.add_argument("function", nargs="?", help="one function, such as intake (default: all)")
    command.add_argument("--follow", action="store_true", help="go on printing")
    command.set_defaults(run=logs, locks=False)

    args = parser.parse_args()
    args.state = args.state.resolve()
    try:
        if args.locks:
            with locked(args.state):
                args.run(args)
        else:
            args.run(args)
    except (bundle.BundleError, EmulatorError, DeployError, BotoCoreError, ClientError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
