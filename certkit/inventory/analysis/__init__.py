"""Questions to an inventory, each a function from table to table.

===========================================  ================================================================
`certkit.inventory.analysis.overview`            the headline, soonest first, how many fall due when
`certkit.inventory.analysis.sameness`            one certificate in several places, one key in several certificates
`certkit.inventory.analysis.strength`            weak keys and hashes, broken rules
`certkit.inventory.analysis.issuers`             unknown issuers, CAs of one name with different keys
`certkit.inventory.analysis.impact`              when a certificate really stops, what goes down with a CA
`certkit.inventory.analysis.forecast`            renewals until 2030, the end of public client certificates
`certkit.inventory.analysis.changes`             two scans compared
`certkit.inventory.analysis.owners`              who renews what, and where nobody does
===========================================  ================================================================
"""
