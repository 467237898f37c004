"""Questions to an inventory, each a function from table to table.

==================================  ==========================================================
`certkit.inventory.analysis.overview`   the headline, soonest first, buckets
==================================  ==========================================================
"""
