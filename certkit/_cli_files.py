"""The verbs of the `certkit` command that read and write files: inspect and convert."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from certkit._files import iso, read_source
from certkit._text import visible
from certkit.certificates import Certificate, Field
from certkit.errors import CertkitError, PasswordError
from certkit.keystores import Entry, KeyEntry, Keystore, OtherEntry, load_keystore
from certkit.keystores import convert as convert_file
from certkit.keystores.explaining import explain_entry, explain_store, other_facts
from certkit.keystores.saving import WRITTEN_FORMATS, format_for

__all__ = ["add_parsers", "certificate_facts", "inspect_entries", "read_password"]

_PASSWORD_VARIABLE = "CERTKIT_PASSWORD"  # noqa: S105 - the name of a variable


def certificate_facts(certificate: Certificate) -> dict[str, object]:
    """Return a certificate's fields as `inspect --json` prints them."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "not_before": iso(certificate.not_before),
        "not_after": iso(certificate.not_after),
        "sans": list(certificate.sans),
        "key": certificate.key,
        "key_bits": certificate.key_bits,
        "signature": certificate.signature,
        "is_ca": certificate.is_ca,
        "sha256": certificate.sha256,
        "spki_sha256": certificate.spki_sha256,
    }


def _entry_facts(entry: Entry) -> dict[str, object]:
    certificate = None if isinstance(entry, OtherEntry) else entry.certificate
    facts: dict[str, object] = {
        "alias": entry.alias or None,
        "kind": entry.kind,
        "certificate": None if certificate is None else certificate_facts(certificate),
    }
    if isinstance(entry, KeyEntry):
        facts["chain"] = [certificate_facts(item) for item in entry.chain.others]
        facts["key_encrypted"] = entry.sealed.encrypted
    if isinstance(entry, OtherEntry):
        facts |= other_facts(entry) if entry.error is None else {"error": str(entry.error)}
    return facts


def inspect_entries(path: str | os.PathLike[str], password: str | None = None) -> dict[str, object]:
    """Return what is in a file, as `certkit inspect --json` prints it; a failure is a value.

    Parameters
    ----------
    path : str or path
        The file.
    password : str, optional
        The keystore's password.

    Returns
    -------
    dict
        ``path``, ``format`` (None if unknown), ``encoding``, ``integrity``, ``entries``, ``notes`` and
        ``error`` (None if all is well). An entry has ``alias``, ``kind`` and ``certificate``; a key's
        certificate is its leaf, and ``chain`` holds the rest.
    """
    try:
        store = load_keystore(Path(path), password)
    except CertkitError as error:
        return _facts(path, error)
    return _facts(path, store)


def _facts(path: str | os.PathLike[str], found: Keystore | CertkitError) -> dict[str, object]:
    facts: dict[str, object] = {
        "path": str(path),
        "format": None,
        "encoding": None,
        "integrity": None,
        "entries": [],
        "notes": [],
        "error": None,
    }
    if isinstance(found, Keystore):
        return facts | _store_facts(found)
    return facts | {"error": str(found), "cause": found.cause, "kind": found.kind}


def _store_facts(store: Keystore) -> dict[str, object]:
    entries: list[dict[str, object]] = []
    for entry in store.entries:
        try:
            entries.append(_entry_facts(entry))
        except (CertkitError, ValueError) as error:
            text = visible(str(error), 200)
            entries.append(
                {"alias": entry.alias or None, "kind": entry.kind, "certificate": None, "error": text}
            )
    broken = sum("error" in entry for entry in entries)
    return {
        "format": store.format,
        "encoding": store.encoding,
        "integrity": store.integrity,
        "entries": entries,
        "notes": list(store.notes),
        "error": f"{broken} of {len(entries)} entries cannot be read" if broken else None,
    }


def read_password(args: argparse.Namespace, name: str = "password_file") -> str | None:
    """Return the password: from --password-file, or from CERTKIT_PASSWORD; None without either.

    Never from the command line itself, where every user of the machine can read it.

    Raises
    ------
    FileError
        If the password file cannot be read.
    """
    path = getattr(args, name, None)
    if path:
        data, label = read_source(Path(path), limit=4096)
        try:
            return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise PasswordError("this password file is no text in UTF-8", on=label) from None
    return os.environ.get(_PASSWORD_VARIABLE) if name == "password_file" else None


def _ask(prompt: str) -> str | None:
    """Return a password typed at the terminal; None where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    try:
        return getpass.getpass(prompt, stream=sys.stderr)
    except (EOFError, OSError):
        return None


def _load(path: str, password: str | None) -> Keystore:
    """Load a file; ask for its password at the terminal if it needs one and none was given."""
    try:
        return load_keystore(Path(path), password)
    except PasswordError as error:
        typed = _ask(f"Password of {visible(path, 200)}: ") if password is None else None
        if typed is None:
            if password is None and not error.hint.endswith(_PASSWORD_VARIABLE):
                error.hint = f"{error.hint}: --password-file FILE, or the variable {_PASSWORD_VARIABLE}"
            raise
        return load_keystore(Path(path), typed)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in lines))


def inspect(args: argparse.Namespace) -> int:
    """Print what is in each file; return 0, or 2 if one cannot be read."""
    password = read_password(args)
    found: list[tuple[str, Keystore | CertkitError]] = []
    for path in args.files:
        try:
            found.append((path, _load(path, password)))
        except CertkitError as error:
            found.append((path, error))
    facts = [_facts(path, store) for path, store in found]
    if args.json and args.explain:
        facts = [item | _explanation(store) for item, (_, store) in zip(facts, found, strict=True)]
    if args.json:
        _say(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        for number, (path, store) in enumerate(found):
            _say(*([""] if number else []), *_report(path, store, explain=args.explain))
            if facts[number]["error"]:
                sys.stderr.write(f"certkit: {facts[number]['error']}\n")
    return 2 if any(item["error"] for item in facts) else 0


def _explanation(store: Keystore | CertkitError) -> dict[str, object]:
    """Return the fields of the file and of each entry, in plain words, for --json --explain."""
    if isinstance(store, CertkitError):
        return {"explanation": None}
    entries = []
    for entry in store.entries:
        chain = entry.chain if isinstance(entry, KeyEntry) else ()
        only = None if isinstance(entry, OtherEntry) else entry.certificate
        several = tuple(chain) or ((only,) if only is not None else ())
        entries.append(
            {
                "entry": [asdict(field) for field in explain_entry(entry)],
                "certificates": [[asdict(field) for field in item.explain()] for item in several],
            }
        )
    return {"explanation": {"file": [asdict(field) for field in explain_store(store)], "entries": entries}}


def _report(path: str, store: Keystore | CertkitError, *, explain: bool) -> Iterable[str]:
    if isinstance(store, CertkitError):
        yield f"{visible(str(path))}: cannot be read"
        return
    yield f"{visible(str(path))}: {store!r}"
    if explain:
        yield from _field_lines(explain_store(store), "  ")
    elif store.protection:
        yield f"  protection: {store.protection}; integrity {store.integrity}"
    for note in store.notes:
        yield f"  note: {note}"
    for number, entry in enumerate(store.entries, 1):
        name = f" {visible(entry.alias, 80)!r}" if entry.alias else ""
        yield f"  {number}. {entry.kind}{name}"
        yield from _entry_lines(entry, explain)


def _entry_lines(entry: Entry, explain: bool) -> Iterable[str]:
    if explain and entry.kind != "damaged":
        yield from _field_lines(explain_entry(entry))
    if isinstance(entry, OtherEntry):
        yield from _other_lines(entry, explain)
        return
    if isinstance(entry, KeyEntry) and not explain:
        lock = f"encrypted: {entry.sealed.protection}" if entry.sealed.encrypted else "not encrypted"
        yield f"     key: {lock}; not opened"
    for certificate in entry.chain if isinstance(entry, KeyEntry) else (entry.certificate,):
        yield from _certificate_lines(certificate, explain)


def _field_lines(fields: Iterable[Field], margin: str = "     ") -> Iterable[str]:
    for field in fields:
        critical = " (critical)" if field.critical else ""
        yield f"{margin}{field.name}{critical}: {visible(field.value, 400)}"
        yield f"{margin}    {field.meaning} {field.source}".rstrip() + ("." if field.source else "")


def _other_lines(entry: OtherEntry, explain: bool) -> Iterable[str]:
    if entry.error is not None:
        yield f"     {entry.error}"
        return
    facts = next(iter(other_facts(entry).values()), None)
    if not isinstance(facts, dict):
        yield f"     {entry.what}"
    elif not explain:
        for name, value in facts.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"     {name.replace('_', ' ')}: {visible(str('none' if shown in {None, ''} else shown), 400)}"


def _certificate_lines(certificate: Certificate, explain: bool) -> Iterable[str]:
    if explain:
        yield from _field_lines(certificate.explain())
        yield f"     SHA-256: {certificate.sha256}"
        return
    yield f"     subject: {certificate.subject or '(empty)'}"
    yield f"     issuer:  {certificate.issuer}"
    if certificate.sans:
        yield f"     names:   {visible(', '.join(certificate.sans), 400)}"
    dates = f"{iso(certificate.not_before)} to {iso(certificate.not_after)}"
    yield f"     valid:   {dates} ({certificate.validity()})"
    bits = f" {certificate.key_bits} bits" if certificate.key_bits else ""
    ca = ", CA" if certificate.is_ca else ""
    yield f"     key:     {certificate.key}{bits}, signed with {certificate.signature}{ca}"
    yield f"     SHA-256: {certificate.sha256}"


def convert(args: argparse.Namespace) -> int:
    """Write a file's entries in another format and say what became of each; return 0."""
    password = read_password(args)
    new_password = read_password(args, "new_password_file")
    store = _load(args.input, password)
    if password is None:
        password = store.password
    target = format_for(args.output, args.format)
    if new_password is None and password is None and (target == "jks" or (target == "pkcs12" and store.keys)):
        new_password = _ask(f"Password for {visible(args.output, 200)}: ")
    done = convert_file(
        Path(args.input),
        args.output,
        password,
        new_password=new_password,
        key_password=read_password(args, "key_password_file"),
        alias=args.alias,
        format=args.format,
        legacy=args.legacy,
        encoding="pem" if args.pem else None,
        overwrite=args.force,
    )
    if args.json:
        report = {
            fate: [{"what": item.what, "why": item.why or None} for item in found]
            for fate, found in (
                ("kept", done.kept),
                ("renamed", done.renamed),
                ("changed", done.changed),
                ("lost", done.lost),
            )
        }
        facts = {"ok": done.ok, "from": done.source_format, "to": done.format, "path": str(done.path)}
        _say(json.dumps(facts | report, indent=2, ensure_ascii=False))
    else:
        _say(str(done))
    return 0


def _add_password_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"a file with the keystore's password; or set {_PASSWORD_VARIABLE}; else it is asked for",
    )


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs inspect and convert to the command."""
    parser = subparsers.add_parser(
        "inspect",
        help="say what is in a file: certificates, keys, keystores of any format",
        description="Say what is in each file. The format is found by content; keys are never opened.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="PEM, DER, PKCS#7, PKCS#12, JKS or JCEKS")
    parser.add_argument("--json", action="store_true", help="print a list, one object a file")
    parser.add_argument("--explain", action="store_true", help="say each field in plain words")
    _add_password_options(parser)
    parser.set_defaults(verb=inspect)

    parser = subparsers.add_parser(
        "convert",
        help="write a file's entries in another format, and say what was kept, renamed or lost",
        description="Write a file's entries in another format; the new file is loaded again as proof.",
    )
    parser.add_argument("input", metavar="IN", help="a file of any format; the content decides")
    parser.add_argument("output", metavar="OUT", help=".pem, .der, .p7b, .p12 or .jks chooses the format")
    parser.add_argument("--format", choices=WRITTEN_FORMATS, help="overrides the suffix of OUT")
    parser.add_argument("--alias", help="take this entry only")
    parser.add_argument("--legacy", action="store_true", help="PKCS#12 for old readers: 3DES and SHA-1")
    parser.add_argument("--pem", action="store_true", help="PKCS#7 between BEGIN and END lines, not as DER")
    parser.add_argument("--force", action="store_true", help="replace OUT if it is there")
    parser.add_argument("--json", action="store_true", help="print one object")
    _add_password_options(parser)
    parser.add_argument(
        "--new-password-file", metavar="FILE", help="a file with OUT's password; the same as IN's by default"
    )
    parser.add_argument(
        "--key-password-file",
        metavar="FILE",
        help="a file with the password of IN's keys, if they have their own",
    )
    parser.set_defaults(verb=convert)
