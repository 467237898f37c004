"""Public suffixes, in short: enough to see a wildcard that covers everybody's domains.

The full list has some ten thousand entries and changes weekly. This rule of thumb knows every top-level
domain, the usual second levels below country codes, and the largest hosting platforms; what it does not
know it lets pass, and the finding it feeds is advisory.
"""

from __future__ import annotations

__all__ = ["is_public_suffix"]

_SECOND_LEVELS = frozenset(
    {
        "ac",
        "co",
        "com",
        "edu",
        "gob",
        "gov",
        "gub",
        "gv",
        "ltd",
        "me",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
    }
)
_PLATFORMS = frozenset(
    {
        "s3.amazonaws.com", "elb.amazonaws.com", "cloudfront.net", "elasticbeanstalk.com", "azurewebsites.net",
        "azure-api.net", "cloudapp.net", "blob.core.windows.net", "appspot.com", "run.app", "web.app", "firebaseapp.com",
        "herokuapp.com", "github.io", "gitlab.io", "netlify.app", "pages.dev", "workers.dev", "vercel.app", "fly.dev",
        "onrender.com", "ngrok.io", "blogspot.com", "wordpress.com", "myshopify.com", "readthedocs.io",
    }
)  # fmt: skip


def is_public_suffix(domain: str) -> bool:
    """Return whether anybody may register names directly below `domain`.

    Examples
    --------
    >>> is_public_suffix("co.uk"), is_public_suffix("github.io"), is_public_suffix("example.test")
    (True, True, False)
    """
    labels = domain.lower().split(".")
    if len(labels) == 1:
        return True
    if len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVELS:
        return True
    return domain.lower() in _PLATFORMS
