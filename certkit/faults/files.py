"""Files and keys: what the client loads its certificate and key from, and what crossed as a certificate."""

from __future__ import annotations

from certkit.faults import _repairs
from certkit.faults._tools import tampered, without_mac
from certkit.faults.registry import fault
from certkit.faults.scenario import PASSWORD, Scenario
from certkit.keystores import keystore_bytes

_AGAIN = "Fetch the file again from its source, in binary mode, and compare its size and fingerprint."
_ONE_VERSION = ("1.3",)


@fault(cause="tampered-or-corrupt", side="server", repair=_repairs.new_server_certificate, remedy=_AGAIN)
def tampered_certificate(scenario: Scenario) -> Scenario:
    """One bit of the server's certificate is not as its CA signed it.

    A bad disk, a careless editor, or somebody who tried.
    """
    leaf, *others = scenario.server.credential.chain
    return scenario.with_server(credential=scenario.server.credential.with_chain((tampered(leaf), *others)))


@fault(cause="tampered-or-corrupt", side="server", repair=_repairs.good_server, remedy=_AGAIN)
def garbage_certificate(scenario: Scenario) -> Scenario:
    """What the server sends as its certificate is none.

    A proxy's error page was saved under the name of the certificate. OpenSSL would not start; a hand-written server does.
    """
    return scenario.with_server(presents=(b"<html>404 Not Found</html>",))


@fault(
    cause="key-cert-mismatch",
    side="server",
    repair=_repairs.good_server,
    remedy="Find the key that the request was made with, or have the certificate issued again for the present key.",
)
def server_key_mismatch(scenario: Scenario) -> Scenario:
    """The server signs with another key than the one its certificate is for.

    The key was made anew after the request went out. Programs notice at their start; appliances do not.
    """
    other = scenario.issue_server()
    presents = tuple(item.der for item in scenario.server.credential.chain)
    return scenario.with_server(credential=other, presents=presents)


@fault(
    cause="tampered-or-corrupt",
    side="client",
    repair=_repairs.good_file,
    remedy=_AGAIN,
    two_way=True,
    tls=_ONE_VERSION,
)
def keystore_cut(scenario: Scenario) -> Scenario:
    """The client's PKCS#12 file is cut short.

    The transfer broke off, or the base64 text was pasted without its last lines.
    """
    return scenario.with_file(_repairs.client_pkcs12(scenario)[:-200])


@fault(
    cause="tampered-or-corrupt",
    side="client",
    repair=_repairs.good_file,
    remedy=_AGAIN,
    two_way=True,
    tls=_ONE_VERSION,
)
def keystore_byte_changed(scenario: Scenario) -> Scenario:
    """One byte in the first lines of the client's PKCS#12 file is another one.

    The base64 text was pasted with one wrong letter. Java up to 11 says: DER input, Integer tag error.
    """
    data = bytearray(_repairs.client_pkcs12(scenario))
    # The version field's tag, INTEGER (2), becomes BIT STRING (3) or whatever a wrong letter makes of it.
    data[data.index(b"\x02\x01\x03", 0, 16)] = 0x04
    return scenario.with_file(bytes(data))


@fault(
    cause="wrong-file-format",
    side="client",
    repair=_repairs.good_file,
    remedy="Make a PKCS#12 file of key and chain: openssl pkcs12 -export, or certkit convert.",
    two_way=True,
    tls=_ONE_VERSION,
)
def certificate_instead_of_keystore(scenario: Scenario) -> Scenario:
    """The client is given its certificate (DER) where a PKCS#12 file is wanted.

    The CA's mail had a .cer in it. There is no key in a certificate, and without it nothing can be proved.
    """
    credential = scenario.client.credential or scenario.issue_client()
    return scenario.with_file(credential.certificate.der)


@fault(
    cause="wrong-file-format",
    side="client",
    repair=_repairs.good_file,
    remedy="Make a PKCS#12 file of key and chain: openssl pkcs12 -export, or certkit convert.",
    two_way=True,
    tls=_ONE_VERSION,
)
def pem_instead_of_keystore(scenario: Scenario) -> Scenario:
    """The client is given a PEM file where a PKCS#12 file is wanted.

    Key and chain are all there, in another format. Java says: toDerInputStream rejects tag type 45; 45 is a hyphen.
    """
    credential = scenario.client.credential or scenario.issue_client()
    return scenario.with_file(credential.key.to_pem() + credential.chain.pem.encode())


@fault(
    cause="wrong-password",
    side="client",
    repair=_repairs.good_file,
    remedy="Give the password that the file was made with; if it is lost, make the file again from the key.",
    two_way=True,
    tls=_ONE_VERSION,
)
def wrong_password(scenario: Scenario) -> Scenario:
    """The password given with the client's keystore is not its password.

    A space at the end, another keyboard, or the password of the file before this one.
    """
    return scenario.with_file(_repairs.client_pkcs12(scenario), password="changeme")  # noqa: S106 - a toy


@fault(
    cause="legacy-pkcs12-encryption",
    side="client",
    repair=_repairs.good_file,
    remedy="Convert the file: certkit convert OLD.p12 NEW.p12, or openssl pkcs12 -legacy.",
    two_way=True,
    tls=_ONE_VERSION,
    harmless="OpenSSL 3 still has triple DES; what it no longer loads is RC2, which is older yet",
)
def legacy_keystore(scenario: Scenario) -> Scenario:
    """The client's PKCS#12 file is encrypted as Windows and Java did it for twenty years: triple DES and SHA-1.

    It opens nearly everywhere today, and in systems with strict rules (FIPS) it does not. Files with 40-bit RC2 are
    refused by OpenSSL 3 already.
    """
    credential = scenario.client.credential or scenario.issue_client()
    return scenario.with_file(keystore_bytes(credential, PASSWORD, legacy=True))


@fault(
    cause="pkcs12-mac-absent",
    side="client",
    repair=_repairs.good_file,
    remedy="Write the file again with a MAC: certkit convert.",
    two_way=True,
    tls=_ONE_VERSION,
    harmless="the cryptography library opens it and checks nothing",
)
def keystore_without_mac(scenario: Scenario) -> Scenario:
    """The client's PKCS#12 file has no MAC, so nobody can tell whether it was changed.

    It was written with openssl pkcs12 -nomac, or by a device.
    """
    return scenario.with_file(without_mac(_repairs.client_pkcs12(scenario)))


@fault(
    cause="encrypted-key-no-passphrase",
    side="client",
    repair=_repairs.good_file,
    remedy="Give the passphrase in the configuration, or store the key unencrypted where only its user can read it.",
    two_way=True,
    tls=_ONE_VERSION,
)
def key_without_passphrase(scenario: Scenario) -> Scenario:
    """The client's private key is encrypted, and no passphrase is configured.

    It was typed in by hand at every start, until the first start at night.
    """
    credential = scenario.client.credential or scenario.issue_client()
    data = credential.key.to_pem(PASSWORD) + credential.chain.pem.encode()
    return scenario.with_file(data, format="pem", password=None)


@fault(
    cause="key-cert-mismatch",
    side="client",
    repair=_repairs.good_file,
    remedy="Find the key that the request was made with, or have the certificate issued again for the present key.",
    two_way=True,
    tls=_ONE_VERSION,
)
def key_of_another_certificate(scenario: Scenario) -> Scenario:
    """The private key in the client's file is not the key of its certificate.

    Last year's key with this year's certificate.
    """
    old, new = scenario.issue_client(), scenario.issue_client()
    return scenario.with_file(old.key.to_pem() + new.chain.pem.encode(), format="pem", password=None)


@fault(
    cause="private-key-missing",
    side="client",
    repair=_repairs.good_file,
    remedy="Export key and certificate together, from the machine on which the request was made.",
    two_way=True,
    tls=_ONE_VERSION,
)
def private_key_missing(scenario: Scenario) -> Scenario:
    """The client's PKCS#12 file holds its certificates and no private key.

    It was exported without the key, which the wizard offers first.
    """
    credential = scenario.client.credential or scenario.issue_client()
    return scenario.with_file(keystore_bytes(credential.chain, PASSWORD))


@fault(
    cause="permission-on-key",
    side="client",
    repair=_repairs.good_file,
    remedy="Give the file to the user that the program runs as (chown), and to nobody else (chmod 600).",
    two_way=True,
    tls=_ONE_VERSION,
)
def key_not_readable(scenario: Scenario) -> Scenario:
    """The client's program may not read its own keystore.

    An administrator put it there, with the rights of an administrator.
    """
    return scenario.with_file(_repairs.client_pkcs12(scenario), readable=False)
