"""The rendered book, as HTML that needs no kernel, no server and nothing from outside.

Run as ``python -m certkit._site FOLDER``; ``make site`` does.
"""

from certkit._site.book import build_site
from certkit._site.links import problems_of

__all__ = ["build_site", "problems_of"]
