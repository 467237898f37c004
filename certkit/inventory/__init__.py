"""Inventory: from a folder of keystores to a table, and from the table to a plan.

===========================  =================================================================
`certkit.inventory.places`       where to look: folders walked, in order, loops survived
`certkit.inventory.reading`      one file in, its rows out
`certkit.inventory.fields`       the fields of one certificate, fast for the usual ones
`certkit.inventory.judging`      role, status and risks at a moment
`certkit.inventory.table`        rows to an Arrow-backed DataFrame, and what each column means
`certkit.inventory.scan`         all of it: `scan_inventory`
`certkit.inventory.estate`       a practice estate with planted problems and an answer key
===========================  =================================================================
"""
