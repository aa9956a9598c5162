"""Which command of the rehearsal cloud was called? Each is a module with `main(argv) -> int`, imported when called."""

import sys
from importlib import import_module

from rehearsal.errors import RehearsalError

COMMANDS = {
    "setup": ("rehearsal.engine.setup", "build or find the engine, install the plugins (resumes, quick when done)"),
    "env": ("rehearsal.engine.environment", "print the environment in which plain `pulumi` uses the rehearsal"),
    "open": ("rehearsal.engine.stack", "create a stack where it is missing, settle it, print its configuration's copy"),
    "settle": ("rehearsal.engine.settle", "recover a stack from an engine that died in the middle of an operation"),
    "world": ("rehearsal.world_cli", "look into the emulated cloud, change it, empty it"),
    "delegate": ("rehearsal.delegate_cli", "tell the registrar, or the zone above, the name servers of a zone"),
    "cluster": ("rehearsal.cluster.command", "the control planes behind emulated EKS clusters"),
    "runner": ("rehearsal.runner", "where the deployer stands, and which clusters answer it there"),
    "authorize": ("rehearsal.aws.authorization.command", "would the declared policies allow a call, and why"),
    "live": ("rehearsal.live.command", "what serves in KUBERNETES=live: start, stop, status, audit"),
    "image": ("rehearsal.live.images", "the images that pods can run: build one from a recipe, load an OCI layout"),
    "secret": ("rehearsal.live.secret_cli", "give a secret of the emulated account its value"),
    "explain": ("rehearsal.explain", "what the rehearsal knows of a resource type"),
    "fidelity": ("rehearsal.fidelity", "how far its answers agree with the provider's"),
    "shell": ("rehearsal.engine.shell", "a shell in that environment"),
}
USAGE = "usage: python -m rehearsal COMMAND [--help] ..."


def main(argv: list[str]) -> int:
    """Run one command; its exit code, or 2 when there is no such command."""
    if argv and argv[0] in COMMANDS:
        module, _ = COMMANDS[argv[0]]
        try:
            return int(import_module(module).main(argv[1:]))
        except RehearsalError as error:
            print(f"rehearsal: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    if argv and argv[0] not in {"-h", "--help"}:
        print(f"{USAGE}\nrehearsal: there is no command {argv[0]!r}: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    print(f"{USAGE}\n\n{__package__}: the real engine, a rehearsed cloud\n")
    for name, (_, purpose) in COMMANDS.items():
        print(f"  {name:10s}{purpose}")
    return 0 if argv else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
