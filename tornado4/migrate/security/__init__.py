"""What later releases of Tornado closed, and where tornado4 stands: one list, told to people and to scanners.

``advisories.toml`` is the list, `table` reads it; `command` is ``tornado4 security``, `pages` writes docs/security.md,
`documents` the files for scanners (CycloneDX, OpenVEX), and `generate` all of these from a checkout.
"""
