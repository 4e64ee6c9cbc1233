"""`python -m local stack up [--gateway-base-url URL]` and `python -m local stack down`."""

from local.arguments import CommandLine
from local.lock import locked
from local.stack.container_bridge import find_bridge_address, open_to_containers
from local.stack.gateway import gateway_base_url
from local.stack.lifecycle import bring_up, take_down
from local.stack.paths import MAKE_UP_FOLDER
from local.stack.sam_env_vars import remove_env_vars, write_env_vars
from local.stack.usage_text import usage_text


def main() -> None:
    """Read the command line and run it. Raise StackError if the stack cannot be brought up."""
    parser = CommandLine(prog="make up, make down", description="The local stack.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring the local stack up")
    up.add_argument("--gateway-base-url", type=gateway_base_url, help="a gateway to use instead of the simulator")
    up.add_argument("--container-bridge", default="", help="the address at which containers reach this machine")
    commands.add_parser("down", help="stop everything that `up` started")
    arguments = parser.parse_args()
    with locked(MAKE_UP_FOLDER.lock_file, f"make {arguments.command}"):
        if arguments.command == "up":
            _up(arguments.gateway_base_url, arguments.container_bridge or find_bridge_address())
        else:
            remove_env_vars()
            print("the local stack is down" if take_down(MAKE_UP_FOLDER) else "the local stack was not up")


def _up(gateway_base_url: str | None, bridge_address: str | None) -> None:
    stack = bring_up(MAKE_UP_FOLDER, gateway_base_url, say=lambda line: print(line, flush=True))
    if bridge_address:
        open_to_containers(MAKE_UP_FOLDER, stack, bridge_address)
    write_env_vars(stack)
    print(usage_text(stack))
    if bridge_address:
        print(f"Containers reach this stack at {bridge_address}: docs/local-stack.md, section sam local invoke.")


if __name__ == "__main__":
    main()
