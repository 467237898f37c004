"""Client stacks: the same question put to real programs and libraries, each answering in its own words.

`certkit.stacks.clients` lists them; each makes a call on loopback and answers in its own words.
`certkit.stacks.java` is the real Java (JSSE, KeyStore, CertPath) in a worker process.
"""
