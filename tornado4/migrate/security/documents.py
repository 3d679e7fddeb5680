"""The list for scanners: a CycloneDX 1.6 file that is bill of materials and VEX in one, and an OpenVEX file.

Both speak of the public advisories alone: scanners know no others. For one release they are the same byte by byte.
"""

from __future__ import annotations

import uuid
from typing import Any

from tornado4.migrate.security.table import FIXED, KEPT, NOT_AFFECTED, Entry, Listing

_SOURCES = {
    "CVE": ("NVD", "https://nvd.nist.gov/vuln/detail/"),
    "GHSA": ("GitHub Advisories", "https://github.com/advisories/"),
    "PYSEC": ("PyPI Advisory Database", "https://osv.dev/vulnerability/"),
}
#: Of our statuses, what each format calls them.
_CYCLONEDX = {FIXED: "resolved", NOT_AFFECTED: "not_affected", KEPT: "exploitable"}
_OPENVEX = {FIXED: "fixed", NOT_AFFECTED: "not_affected", KEPT: "affected"}
#: Names in the UUIDs below; no page.
_NAMESPACE = "tornado4 security list "


def package_url(version: str) -> str:
    """The product, as scanners call it."""
    return f"pkg:pypi/tornado4@{version}"


def _source(name: str) -> dict[str, str]:
    publisher, address = _SOURCES[name.partition("-")[0]]
    return {"name": publisher, "url": address + name}


def cyclonedx(listing: Listing, version: str) -> dict[str, Any]:
    """Bill of materials and VEX. tornado4 has no runtime dependencies, hence no components but itself."""
    url = package_url(version)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE + url + listing.reviewed)}",
        "version": 1,
        "metadata": {
            "timestamp": listing.reviewed,
            "component": {
                "type": "framework",
                "bom-ref": url,
                "name": "tornado4",
                "version": version,
                "description": "The complete Tornado 4.5.3 API on modern asyncio.",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": url,
            },
        },
        "components": [],
        "dependencies": [{"ref": url, "dependsOn": []}],
        "vulnerabilities": [_vulnerability(entry, url) for entry in listing.entries.values() if entry.is_public],
    }


def _vulnerability(entry: Entry, url: str) -> dict[str, Any]:
    analysis: dict[str, Any] = {"state": _CYCLONEDX[entry.status], "detail": _detail(entry)}
    if entry.status == NOT_AFFECTED:
        analysis["justification"] = "code_not_present"
    if entry.status == KEPT:
        analysis["response"] = ["will_not_fix", "workaround_available"]
    return {
        "id": entry.id,
        "source": _source(entry.id),
        "references": [{"id": alias, "source": _source(alias)} for alias in entry.aliases],
        "description": f"Tornado 4.5.3: {entry.what}",
        "analysis": analysis,
        "affects": [{"ref": url}],
    }


def _detail(entry: Entry) -> str:
    parts = [f"Closed in Tornado {entry.fixed_in}; {entry.status} in tornado4."]
    if entry.why:
        parts.append(f"{entry.why[0].upper()}{entry.why[1:]}.")
    if entry.instead:
        parts.append(f"Instead: {entry.instead}.")
    if entry.switches:
        names = " or ".join(f"TORNADO4_ALLOW={name}" for name in entry.switches)
        parts.append(f"It comes back, in whole or in part, where {names} is set: 'tornado4 security' tells.")
    parts.append(f"Tests: {', '.join(entry.tests)}.")
    return " ".join(parts)


def openvex(listing: Listing, version: str) -> dict[str, Any]:
    """The same as OpenVEX 0.2.0."""
    url = package_url(version)
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE + 'openvex ' + url + listing.reviewed)}",
        "author": "The tornado4 authors",
        "timestamp": listing.reviewed,
        "version": 1,
        "statements": [_statement(entry, url) for entry in listing.entries.values() if entry.is_public],
    }


def _statement(entry: Entry, url: str) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "vulnerability": {"name": entry.id, "description": f"Tornado 4.5.3: {entry.what}"},
        "products": [{"@id": url, "identifiers": {"purl": url}}],
        "status": _OPENVEX[entry.status],
    }
    if entry.aliases:
        statement["vulnerability"]["aliases"] = list(entry.aliases)
    if entry.status == NOT_AFFECTED:
        statement["justification"] = "vulnerable_code_not_present"
        statement["impact_statement"] = _detail(entry)
    elif entry.status == KEPT:
        statement["action_statement"] = _detail(entry)
    else:
        statement["status_notes"] = _detail(entry)
    return statement
