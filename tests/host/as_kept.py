"""The ``kept`` command, for ``enter`` to start in another account."""

import sys

from crm import cli


def main(words: list[str]) -> int:
    sys.argv = ["kept", *words]
    cli.main()
    return 0
