"""``python -m certkit._site FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from certkit._site.book import build_site
from certkit._text import count
from certkit.errors import CertkitError

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Build the site into the folder named; exit code 2 if that cannot be done."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m certkit._site FOLDER\n")
        return 2
    try:
        written = build_site(arguments[0])
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2
    sys.stdout.write(f"{count(len(written), 'page')} in {arguments[0]}, start with index.html\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
