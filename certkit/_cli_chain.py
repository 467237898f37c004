"""The verb ``chain``: will this truststore accept that chain, offline, and why not."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from certkit._cli_check import moment
from certkit._cli_files import read_password
from certkit._files import read_source
from certkit.certificates import Certificate
from certkit.chains import TrustStore
from certkit.errors import CredentialError
from certkit.keystores import Keystore, load_keystore
from certkit.revocation import RevocationList
from certkit.stacks.java import java_available
from certkit.stacks.java_opinion import with_java
from certkit.verification import check_revocation, verify_chain
from certkit.verification._policy import POLICIES

__all__ = ["add_parsers"]


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "chain",
        help="will this truststore accept that chain: every path, and what is wrong with it",
        description="Judge a chain offline. Exit code 0: trusted; 1: refused; 2: a file or the call is bad.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="the chain as sent, leaf first; PEM, DER, PKCS#7, PKCS#12 or JKS",
    )
    parser.add_argument(
        "--anchors", required=True, metavar="FILE", help="whom to believe: a truststore or a CA bundle"
    )
    parser.add_argument("--host", metavar="NAME", help="the name or address that the client asks for")
    parser.add_argument(
        "--purpose", choices=("server", "client"), default="server", help="what it is used as (server)"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="judge by this clock, 2026-12-31T00:00:00Z; now if not given"
    )
    parser.add_argument(
        "--policy", choices=tuple(POLICIES), default="webpki", help="which rules are fatal (webpki)"
    )
    parser.add_argument("--alias", help="the key entry of FILE whose chain is meant, if there are several")
    parser.add_argument(
        "--crl", action="append", default=[], metavar="FILE", help="a revocation list; may be repeated"
    )
    parser.add_argument("--hard-fail", action="store_true", help="refuse what no usable list speaks for")
    parser.add_argument("--no-java", action="store_true", help="do not ask the real Java for its opinion")
    parser.add_argument(
        "--password-file", metavar="FILE", help="holds the password of the files; or CERTKIT_PASSWORD"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(verb=_chain)


def _chain(args: argparse.Namespace) -> int:
    password = read_password(args)
    sent = [
        item for path in args.files for item in _certificates(load_keystore(Path(path), password), args.alias)
    ]
    result = verify_chain(
        sent,
        _anchors(load_keystore(Path(args.anchors), password)),
        host=args.host,
        purpose=args.purpose,
        at=moment(args.at),
        policy=args.policy,
    )
    lists = [RevocationList.from_bytes(read_source(Path(path))[0]) for path in args.crl]
    if lists or args.hard_fail:
        result = check_revocation(result, crls=lists, hard_fail=args.hard_fail)
    if java_available() and not args.no_java:
        result = with_java(result)
    print(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if args.json else result.text())
    return 0 if result.ok else 1


def _certificates(store: Keystore, alias: str | None) -> tuple[Certificate, ...]:
    """Return what a server that uses this file would send: the chain of its key, else all that is in it."""
    if alias is not None or any(entry.chain for entry in store.keys):
        return tuple(store.key_entry(alias).chain)
    if not store.certificates:
        raise CredentialError(
            "there is no certificate in this file", on=store.source or None, hint="certkit inspect FILE"
        )
    return store.certificates


def _anchors(store: Keystore) -> TrustStore:
    """Return whom this file says to believe; an empty store believes nobody, which is a finding and no error."""
    return store.trust_store(store.source) if store.entries else TrustStore((), store.source)
