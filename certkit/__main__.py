"""Lets ``python -m certkit`` be the ``certkit`` command."""

import sys

from certkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
