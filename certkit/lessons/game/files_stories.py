"""Stories of files: what goes wrong when keys, chains and keystores are copied, converted and mailed."""

from __future__ import annotations

import base64
from datetime import timedelta

from certkit.authority import CertificateAuthority
from certkit.credentials import Credential
from certkit.faults import Scenario
from certkit.faults.scenario import CLIENT, HOST
from certkit.keys import generate_key
from certkit.keystores import keystore_bytes
from certkit.lessons.fixtures import today
from certkit.lessons.game.desk import CHAIN, CLIENTS, KEY, KEYSTORE, PASSWORD, TRUST, Desk
from certkit.lessons.game.stories import story

FRIDAY = timedelta(days=3)


def _server(scenario: Scenario, desk: Desk, credential: Credential) -> Desk:
    return desk.put(**{CHAIN: credential.chain.pem.encode(), KEY: credential.key.to_pem()})


def _client(credential: Credential) -> bytes:
    return keystore_bytes({"acme": credential}, PASSWORD, format="pkcs12")


def _owned(scenario: Scenario) -> Credential:
    assert scenario.client.credential is not None
    return scenario.client.credential


@story(cause="wrong-file-format", level="easy", two_way=True)
def wrong_file_format(desk: Desk, scenario: Scenario) -> Desk:
    """The platform wants the client certificate as client.p12, so I saved what the CA sent under that name.

    It says that it cannot read it. The key is in client/acme.key, where we made the request.
    """
    own = _owned(scenario)
    return desk.put(
        **{
            KEYSTORE: own.certificate.der,
            "client/acme.key": own.key.to_pem(),
            "client/from-the-ca.pem": own.chain.pem.encode(),
        }
    )


@story(cause="wrong-password", level="easy", two_way=True)
def wrong_password(desk: Desk, scenario: Scenario) -> Desk:
    """Here is the new client keystore. The password is the one from the phone call: Sommer-2012, I think.

    The platform's settings were not touched.
    """
    return desk.put(**{KEYSTORE: keystore_bytes({"acme": _owned(scenario)}, "Sommer-2012", format="pkcs12")})


@story(cause="key-cert-mismatch", level="easy")
def key_cert_mismatch(desk: Desk, scenario: Scenario) -> Desk:
    """I renewed the certificate and put it in place. The server does not even start now.

    There are two keys on the machine; I took the one that was there before. The other one is server/key-2.pem.
    """
    old = generate_key()
    return desk.put(**{KEY: old.to_pem(), "server/key-2.pem": scenario.server.credential.key.to_pem()})


@story(cause="leaf-not-first", level="easy")
def leaf_not_first(desk: Desk, scenario: Scenario) -> Desk:
    """The CA sent two files and said that both belong into the chain file. I put them in one after the other.

    Now the server complains about its key, which I did not touch.
    """
    chain = scenario.server.credential.chain
    return desk.put(**{CHAIN: "".join(item.pem for item in reversed(list(chain))).encode()})


@story(cause="encrypted-key-no-passphrase", level="easy")
def encrypted_key(desk: Desk, scenario: Scenario) -> Desk:
    """The security team asked us to encrypt the server's key, so we did (the passphrase is Kastanie7).

    Since the restart tonight the server does not come up.
    """
    return desk.put(**{KEY: scenario.server.credential.key.to_pem("Kastanie7")})


@story(cause="private-key-missing", level="medium", two_way=True, sides=("client",))
def private_key_missing(desk: Desk, scenario: Scenario) -> Desk:
    """Acme exported their certificate into a keystore, with the password as always, and it loads without an error.

    The server still says that they showed nothing. What they have besides is client/acme-request.key.
    """
    own = _owned(scenario)
    return desk.put(
        **{
            KEYSTORE: keystore_bytes({"acme": own.certificate}, PASSWORD, format="pkcs12"),
            "client/acme-request.key": own.key.to_pem(),
            "client/acme-certificate.pem": own.certificate.pem.encode(),
        }
    )


@story(cause="truststore-missing-or-empty", level="easy")
def truststore_empty(desk: Desk, scenario: Scenario) -> Desk:
    """We moved the client into a container. The truststore is mounted where it always was.

    It refuses every server now, not only this one.
    """
    return desk.put(**{TRUST: b""})


@story(cause="tampered-or-corrupt", level="medium", sides=("server",))
def tampered(desk: Desk, scenario: Scenario) -> Desk:
    """The chain file went through the ticket system and came back as text. I pasted it into place.

    To me it looks like the one in server/chain.orig.pem.txt, which I still had as base64 of the whole file.
    """
    pem = scenario.server.credential.chain.pem
    middle = len(pem.splitlines()[0]) + 120
    return desk.put(
        **{
            CHAIN: (pem[:middle] + pem[middle + 2 :]).encode(),
            "server/chain.orig.pem.txt": base64.encodebytes(pem.encode()),
        }
    )


@story(cause="client-cert-untrusted", level="medium", two_way=True, sides=("client",))
def client_leaf_alone(desk: Desk, scenario: Scenario) -> Desk:
    """Our certificate is by the right CA, the server's people confirm that they trust its root.

    Still we get unknown_ca from them. The keystore holds our certificate and our key, what else could it need?
    """
    own = _owned(scenario)
    return desk.put(**{KEYSTORE: _client(own.with_chain([own.certificate]))})


@story(cause="wrong-eku", level="medium", two_way=True, sides=("client",))
def client_with_server_certificate(desk: Desk, scenario: Scenario) -> Desk:
    """To save money we use the certificate of our web site for the callout as well. It is by the same CA.

    The server sends us an alert about an unsupported certificate. It is a perfectly good one!
    """
    web = scenario.client_ca.issue("www.acme.example.test", usage="server", common_name=CLIENT)
    return desk.put(**{KEYSTORE: _client(web)})


@story(cause="expired-ca", level="medium", sides=("client",))
def expired_intermediate(desk: Desk, scenario: Scenario) -> Desk:
    """Before you ask: I looked at the server's certificate, it is good for months. All the same: expired.

    The CA desk says that they have renewed everything that is theirs.
    """
    ca = scenario.server_ca
    old = ca.root.intermediate(
        ca.name, key=ca.key, not_before=today() - 400 * FRIDAY, not_after=today() - FRIDAY
    )
    credential = scenario.server.credential
    return desk.put(
        **{CHAIN: credential.with_chain([credential.certificate, old.certificate]).chain.pem.encode()}
    )


@story(cause="hostname-mismatch", level="medium", sides=("client",))
def right_name_wrong_place(desk: Desk, scenario: Scenario) -> Desk:
    """The name on the certificate is right, I checked it letter by letter: CN=orders.example.test.

    And the client says that the host name does not match.
    """
    new = scenario.issue_server("orders.internal.example.test", common_name=HOST)
    return _server(scenario, desk, new)


@story(cause="untrusted-root", level="medium", sides=("client",))
def pinned_last_year(desk: Desk, scenario: Scenario) -> Desk:
    """The server's people renewed their certificate, as they do every year. Now our client refuses it.

    We trust exactly this server and nobody else: its certificate is in our truststore, since last year.
    """
    last_year = scenario.issue_server(not_before=today() - timedelta(days=365), days=366 + 30)
    return desk.put(**{TRUST: last_year.certificate.pem.encode()})


@story(cause="client-cert-untrusted", level="hard", two_way=True, sides=("client",))
def server_trusts_the_leaf(desk: Desk, scenario: Scenario) -> Desk:
    """Acme renewed their certificate: same CA, same name, same key even. We had their certificate in our truststore.

    They are refused now, and say that it must be us. We say that it must be them.
    """
    old = scenario.issue_client(key=_owned(scenario).key)
    return desk.put(**{CLIENTS: old.certificate.pem.encode()})


@story(cause="weak-key", level="hard", sides=("server",))
def weak_key(desk: Desk, scenario: Scenario) -> Desk:
    """The certificate was in the old machine for ten years and never gave any trouble. The new machine refuses it.

    I made it anew with the same settings, for the right name, with today's date. No change.
    """
    return _server(scenario, desk, scenario.issue_server(key="rsa1024"))


@story(cause="path-length-exceeded", level="hard", sides=("client",))
def one_ca_too_many(desk: Desk, scenario: Scenario) -> Desk:
    """Our department now has a CA of its own, below the company's. It signed the server's certificate.

    Every certificate is in the chain, in order, in date, and by the one above. The clients refuse it.
    """
    company_ca = scenario.server_ca.root.intermediate("Orders Company CA", path_length=0)
    department = company_ca.intermediate("Orders Department CA")
    return _server(scenario, desk, department.issue(HOST, usage="server"))


@story(cause="not-a-ca", level="hard", sides=("client",))
def signed_by_a_leaf(desk: Desk, scenario: Scenario) -> Desk:
    """We needed a certificate quickly, and we have a good one for the portal, by the right CA. So we signed with that.

    The chain is complete: the new certificate, the portal's, the CA's.
    """
    portal = scenario.issue_server("portal.example.test")
    own = CertificateAuthority("portal.example.test", key=portal.key, organization="Orders")
    new = own.issue(HOST, usage="server")
    return _server(scenario, desk, new.with_chain([new.certificate, *portal.chain]))


@story(cause="akid-mismatch", level="hard", sides=("client",))
def ca_of_the_same_name(desk: Desk, scenario: Scenario) -> Desk:
    """The CA got new keys and kept its name. I took the intermediate from the old server, since it is called the same.

    Names fit, dates fit, the order fits. What else is there?
    """
    old = scenario.server_ca.root.intermediate(scenario.server_ca.name)
    credential = scenario.server.credential
    return desk.put(
        **{CHAIN: credential.with_chain([credential.certificate, old.certificate]).chain.pem.encode()}
    )


@story(cause="missing-intermediate", level="hard", two_way=True, sides=("client",))
def two_at_once(desk: Desk, scenario: Scenario) -> Desk:
    """Two-way worked in the test system. In production the client says that it cannot verify the server.

    When I tell it not to care, then the server refuses the client. I hope that it is one reason.
    """
    server, own = scenario.server.credential, _owned(scenario)
    stale = scenario.issue_client(not_after=today() - FRIDAY, key=own.key)
    chain = server.with_chain([server.certificate]).chain
    return desk.put(**{CHAIN: chain.pem.encode(), KEYSTORE: _client(stale)})


@story(cause="missing-intermediate", level="hard", sides=("client",))
def spare_from_the_drawer(desk: Desk, scenario: Scenario) -> Desk:
    """I found a spare certificate in the drawer and put it in until the new one comes.

    The client complains. I mended what it said, in my head at least, and I am sure that it then says something else.
    """
    spare = scenario.issue_server("spare.example.test", not_after=today() - FRIDAY)
    return _server(scenario, desk, spare.with_chain([spare.certificate, scenario.client_ca.certificate]))
