"""Inventory: from a folder of keystores to a table, and from the table to a plan.

=================================  ==================================================================
`certkit.inventory.places`             where to look: folders walked in order, loops survived, object stores
`certkit.inventory.containers`         files within files: archives and kubernetes Secrets
`certkit.inventory.passwords`          what to try on sealed stores; shown nowhere
`certkit.inventory.opening`            the bytes of one file; `plain_pem` splits the commonest kind
`certkit.inventory.reading`            one file in, its rows out
`certkit.inventory.fields`             the fields of one certificate: `fast` for the usual kind, careful for the rest
`certkit.inventory.judging`            role, status and risks at a moment
`certkit.inventory.table`              what each column means; rows to an Arrow-backed DataFrame, its text `_packed`
`certkit.inventory.units`              a scan cut into pieces of work; `work` does one
`certkit.inventory.engine`             who does them: this process, workers on this machine, or `dask_engine`
`certkit.inventory.journal`            finished pieces on disk, so that a killed scan goes on
`certkit.inventory.storage`            Parquet, whole or not at all
`certkit.inventory.tally`              the headline, counted on the way
`certkit.inventory.scan`               all of it: `scan_inventory`, `scan_to_parquet`
`certkit.inventory.analysis`           questions to a table
`certkit.inventory.export`             CSV, XLSX, JSON, a calendar
`certkit.inventory.estate`             a practice estate with planted problems and an answer key
=================================  ==================================================================
"""
