"""Tornado's own test modules, laid out to be run on tornado4.

``prepare(version)`` copies the ``test`` package of that release's source distribution and makes the two
substitutions that a current Python and OpenSSL force:

* ``test.crt`` and ``test.key`` hold a 1024-bit key, which OpenSSL refuses: a fresh 2048-bit pair, same subject;
* ``asyncio.async`` is a syntax error since Python 3.7: ``asyncio.ensure_future``, its new name, takes its place.

Nothing else is touched.
"""

from __future__ import annotations

import datetime
import re
import shutil
from pathlib import Path

from compat_tests.oracle import CACHE, locked, sdist

#: Changes when what ``prepare`` makes changes, so that nobody goes on with an old folder.
RECIPE = "2"


def prepare(version: str) -> Path:
    """The folder that serves as the package ``tornado.test`` of that version."""
    target = CACHE / f"suite-{version}"
    source = sdist(version) / "tornado" / "test"
    with locked(target.name):
        ready = target / "ready"
        if not ready.exists() or ready.read_text("utf-8") != RECIPE:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
            write_certificate(target / "test.crt", target / "test.key")
            asyncio_test = target / "asyncio_test.py"
            if asyncio_test.exists():
                text = asyncio_test.read_text("utf-8")
                asyncio_test.write_text(re.sub(r"\basyncio\.async\b", "asyncio.ensure_future", text), "utf-8")
            ready.write_text(RECIPE, "utf-8")
    return target


def real_package(version: str, tests: str | None = None) -> Path:
    """A folder for PYTHONPATH with the real ``tornado`` of one version, and the tests of that or another one."""
    tests = tests or version
    target = CACHE / f"real-{version}-tests-{tests}"
    suite = prepare(tests)
    source = sdist(version) / "tornado"
    with locked(target.name):
        ready = target / "ready"
        if not ready.exists() or ready.read_text("utf-8") != RECIPE:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target / "tornado", ignore=shutil.ignore_patterns("test"))
            shutil.copytree(suite, target / "tornado" / "test")
            ready.write_text(RECIPE, "utf-8")
    return target


def write_certificate(crt: Path, key: Path) -> None:
    """A self-signed 2048-bit pair for foo.example.com, as upstream's is."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foo.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(private, hashes.SHA256())
    )
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def modules(version: str) -> list[str]:
    """The names of that version's test modules; ``doctests`` stands for the examples in docstrings."""
    files = (sdist(version) / "tornado" / "test").glob("*_test.py")
    return sorted([*(file.stem for file in files), "doctests"])
