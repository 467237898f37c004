"""File formats: bytes to entries and back. The format is found by content, never by name.

======================  ==================================================================
`certkit.formats.limits`    every bound in one place
`certkit.formats.items`     what a format yields: items that nothing has opened yet
`certkit.formats.pem`       PEM text (RFC 7468) and bare base64
`certkit.formats.der`       which DER structure is this?
`certkit.formats.pkcs7`     PKCS#7 certificate bags (.p7b)
`certkit.formats.pkcs12`    PKCS#12 (.p12, .pfx)
`certkit.formats.jks`       Java's JKS and JCEKS
`certkit.formats.sniff`     bytes in, format and items out
`certkit.formats.damage`    what happened to bytes that are no format any more
`certkit.formats.strangers` files of another kind, named
`certkit.formats.byte_decoder` the number in Java's message is a byte of the file
`certkit.formats.der_tree`  a view of the bytes: every field, its place, its meaning
======================  ==================================================================
"""
