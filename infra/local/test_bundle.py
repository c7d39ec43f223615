"""A binary that Lambda could not start is found before it is deployed, and secrets stay behind."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from bundle import DOCUMENT, SECRETS, BundleError, bundle, check_glibc


class Bundle(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.binary = self.folder / "intake"

    def needing(self, *versions: str) -> Path:
        self.binary.write_bytes(b"\x7fELF\0" + b"\0".join(version.encode() for version in versions) + b"\0")
        return self.binary

    def test_what_amazon_linux_has_will_do(self) -> None:
        for versions in ((), ("GLIBC_2.2.5",), ("GLIBC_2.17", "GLIBC_2.34", "GLIBC_2.4")):
            with self.subTest(versions):
                check_glibc(self.needing(*versions))

    def test_a_newer_glibc_is_refused_by_its_number(self) -> None:
        for version in ("2.35", "2.36", "2.100"):
            with self.subTest(version), self.assertRaisesRegex(BundleError, f"needs glibc {version}, .* has 2.34"):
                check_glibc(self.needing("GLIBC_2.17", f"GLIBC_{version}"))

    def test_a_binary_that_is_not_there_is_said(self) -> None:
        with self.assertRaisesRegex(BundleError, "does not exist"):
            check_glibc(self.folder / "other")

    def test_secrets_and_hidden_files_do_not_go_along(self) -> None:
        config = self.folder / "config"
        config.mkdir()
        for name in (DOCUMENT, "erp.j2", SECRETS, ".env"):
            (config / name).touch()
        bundle(self.needing(), config, self.folder / "out")
        found = {path.relative_to(self.folder / "out").as_posix() for path in (self.folder / "out").rglob("*")}
        self.assertEqual(found, {"bootstrap", "config", f"config/{DOCUMENT}", "config/erp.j2"})


if __name__ == "__main__":
    unittest.main()
