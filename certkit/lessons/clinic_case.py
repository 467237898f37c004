"""`clinic`: one broken file after another, taken to a keystore that works, each cure proved by loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import EllipsisType

from certkit._files import Source, read_source
from certkit._html import Html, badge, definitions, preformatted, table, tag
from certkit._text import hexdump
from certkit.errors import ArgumentError, CertkitError
from certkit.keystores import Keystore, load_keystore
from certkit.lessons.clinic_files import PASSWORD, PATIENTS, Patient, Stock, stock
from certkit.lessons.exercise import Exercise, Finding, Result, miss, passed
from certkit.stacks.java import java_available
from certkit.stacks.java_files import JavaKeystore, java_keystore

__all__ = ["Clinic", "ClinicCase", "clinic"]

_ROLES = {"keystore": "a keystore with the key of Acme CRM and its chain", "truststore": "a truststore"}
# In this session only: what a notebook shows as a demonstration must not count as somebody's progress.
_CURED: set[str] = set()
_NAMES = {"pkcs12": "PKCS#12", "jks": "JKS"}


@dataclass(frozen=True)
class ClinicCase:
    """A broken file, how it came, and what is wanted of it.

    Attributes
    ----------
    patient : Patient
        The case as it stands in the clinic's list.
    data : bytes
        The broken file.
    files : mapping of str to bytes
        What else lies on the desk.

    Examples
    --------
    >>> case = clinic("byte-order-mark")
    >>> case.answer(case.data).state
    'not yet'
    >>> from certkit.formats.damage import find_damage
    >>> case.answer(find_damage(case.data).repaired).state
    'right'
    """

    patient: Patient = field(repr=False)
    data: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    _stock: Stock = field(repr=False)

    @property
    def name(self) -> str:
        """What the case is called."""
        return self.patient.name

    @property
    def password(self) -> str:
        """The password that the program will use: a toy."""
        return PASSWORD

    @cached_property
    def certkit_says(self) -> str:
        """What certkit says to the file as it is."""
        try:
            store = load_keystore(self.data, self.password)
            if self.patient.wanted == "truststore":
                store.trust_store()
            else:
                store.credential()
        except CertkitError as error:
            return str(error)
        return repr(store)

    @cached_property
    def java_says(self) -> str:
        """What the real Java says to the file as it is; empty if it is not installed."""
        if not java_available():
            return ""
        return java_keystore(self.data, self.password, type=self._type()).text

    def _type(self) -> str:
        return "JKS" if self.patient.file_name.endswith(".jks") else "PKCS12"

    def answer(self, repaired: Source | EllipsisType | None = ..., password: str | None = None) -> Result:
        """Return whether a file is what the program needs: it is loaded, its key is tried, Java is asked.

        Parameters
        ----------
        repaired : path or bytes
            The file that you made. Left as ``...`` it counts as not tried yet.
        password : str, optional
            Its password; the program's own by default, and the program knows no other.
        """
        task = Exercise(
            f"clinic {self.name}",
            self.name,
            "case",
            f"{self.patient.story} Wanted: {self.wanted}.",
            self.patient.hints,
            self.patient.solution,
            lambda made: self._judge(made, password),
        )
        if repaired is None or isinstance(repaired, EllipsisType):
            return Result(task, "not tried yet", task.question)
        try:
            finding = self._judge(repaired, password)
        except CertkitError as error:
            finding = miss("your file, loaded as the program would", str(error), self.patient.hints[0])
        text = f"Tested: {finding.tested}. Found: {finding.found}."
        if finding.ok:
            _CURED.add(self.name)
            return Result(task, "right", text, finding)
        return Result(task, "not yet", f"{text} Where to look: {finding.look}.", finding)

    @property
    def wanted(self) -> str:
        """What the program needs, in words."""
        formats = " or ".join(_NAMES[name] for name in self.patient.formats)
        demand = {
            "": "",
            "modern": ", with an encryption that is not of the old kind",
            "one password": ", file and key under one password",
        }[self.patient.demand]
        return (
            f"{_ROLES[self.patient.wanted]}, as {formats}{demand}, opened by the password {self.password!r}"
        )

    def _judge(self, repaired: Source, password: str | None) -> Finding:
        data, _ = read_source(repaired)
        secret = self.password if password is None else password
        store = load_keystore(data, secret)
        tested = f"your {store.format_name} loaded with the password"
        look = self.patient.hints[-1]
        if secret != self.password:
            return miss(
                tested, "it opens, and the program knows another password", "write it with case.password"
            )
        if store.format not in self.patient.formats or store.encoding != "binary":
            return miss(tested, "the program does not read that form", look)
        problem = (
            self._trust_problem(store) if self.patient.wanted == "truststore" else self._key_problem(store)
        )
        if problem:
            return miss(tested, problem, look)
        return self._proof(data, store, tested)

    def _key_problem(self, store: Keystore) -> str:
        credential = store.credential()
        wanted = self._stock.client
        if credential.certificate != wanted.certificate:
            return f"it is the key of {credential.certificate.name}, with another certificate"
        if tuple(credential.chain) != tuple(wanted.chain):
            return f"its chain has {len(credential.chain)} certificates and should have {len(wanted.chain)}"
        if self.patient.demand == "modern" and "3DES" in store.protection + store.keys[0].sealed.protection:
            return f"it is still sealed the old way: {store.protection}"
        return ""

    def _trust_problem(self, store: Keystore) -> str:
        marked = [entry for entry in store if entry.kind == "trusted-certificate"]
        if not marked:
            return "no certificate in it is marked as trusted: Java finds it empty"
        anchors = set(store.trust_store())
        return "" if anchors >= set(self._stock.anchors) else "the company's root is not in it"

    def _proof(self, data: bytes, store: Keystore, tested: str) -> Finding:
        if not java_available():
            return passed(tested, f"{store.summary}, and the key belongs to its certificate", store)
        java: JavaKeystore = java_keystore(data, self.password)
        if not java.ok or not java.entries:
            return miss(f"{tested}, and opened by Java {java.java}", java.text, self.patient.hints[-1], java)
        found = f"{store.summary}; Java {java.java} {java.text}, and every key in it signs"
        return passed(f"{tested}, and opened by the real Java", found, java)

    def __repr__(self) -> str:
        return f"<ClinicCase {self.name}: {self.patient.file_name}, {len(self.data):,} bytes>"

    def _repr_html_(self) -> Html:
        rows: list[tuple[object, object]] = [
            ("how it came", self.patient.story),
            ("wanted", self.wanted),
            ("certkit says", self.certkit_says),
        ]
        if self.java_says:
            rows.append(("the real Java says", self.java_says))
        rows += [(f'case.files["{name}"]', f"{len(data):,} bytes") for name, data in self.files.items()]
        return tag(
            "div",
            definitions(rows, caption=f"{self.name}: {self.patient.file_name}, {len(self.data):,} bytes"),
            tag("p", "Its first bytes:"),
            preformatted(hexdump(self.data, length=32), style="font-family:monospace"),
            class_="ck-clinic",
        )


@dataclass(frozen=True)
class Clinic:
    """The waiting room: every case, by name.

    Attributes
    ----------
    names : tuple of str
        What ``ck.clinic(name)`` takes, the easier cases first.
    """

    names: tuple[str, ...] = tuple(PATIENTS)

    @property
    def cured(self) -> tuple[str, ...]:
        """The cases that were cured since this session began."""
        return tuple(name for name in self.names if name in _CURED)

    def __repr__(self) -> str:
        return f"<Clinic: {len(self.names)} broken files: {', '.join(self.names)}>"

    def __len__(self) -> int:
        return len(self.names)

    def _repr_html_(self) -> Html:
        rows = [
            (
                number,
                tag("code", name),
                badge("good", "cured") if name in self.cured else badge("neutral", "waiting"),
                PATIENTS[name].file_name,
                PATIENTS[name].story,
            )
            for number, name in enumerate(self.names, 1)
        ]
        caption = f"{len(rows)} broken files, {len(self.cured)} of them cured in this session"
        return table(("number", "case", "state", "file", "how it came"), rows, caption=caption)


def clinic(case: int | str | None = None) -> Clinic | ClinicCase:
    """Return a broken file to cure, made afresh; without a name, the list of all of them.

    Parameters
    ----------
    case : int or str, optional
        A number from 1 on, or a name from the list.

    Raises
    ------
    ArgumentError
        If there is no such case.

    Examples
    --------
    >>> clinic(1)
    <ClinicCase pem-named-p12: client.p12, ... bytes>
    """
    if case is None:
        return Clinic()
    names = tuple(PATIENTS)
    name = names[case - 1] if isinstance(case, int) and 1 <= case <= len(names) else case
    if name not in PATIENTS:
        raise ArgumentError(
            "the clinic has no such case",
            on=repr(case),
            hint=f"1 to {len(names)}, or one of {', '.join(names)}",
        )
    patient, good = PATIENTS[str(name)], stock()
    desk = patient.make(good)
    return ClinicCase(patient, desk.data, dict(desk.files), good)
