"""The pictures of README and docs, made anew from real runs: ``python site/pictures.py`` writes docs/pictures.

    diff-report.png    `tornado4 diff` of the shop in docs/diff.md against one that a clumsy hand has changed
    benchmarks.png     benchmarks/chart.svg, as its script draws it from the last results

They are those of `README.md`, and go stale when the report's looks change: run it then.

Chromium has to be installed (``chromium``, or what CHROMIUM names), and the real Tornado 4.5.3 is fetched by `diff`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TO = ROOT / "docs/pictures"

#: What the clumsy hand has done: a number became text, a status was lost, a header is new.
CHANGES = [
    ('"orders": [1, 2]', '"orders": ["1", "2"]'),
    ("self.set_status(201)", 'self.set_header("X-Shop", "new")'),
]


def photograph(page: str, to: Path, width: int, height: int) -> None:
    """A PNG of a page, as it looks in light colours."""
    command = [
        os.environ.get("CHROMIUM", "chromium"),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
    ]
    command += [f"--window-size={width},{height}", "--virtual-time-budget=4000", f"--screenshot={to}", page]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(f"{to.relative_to(ROOT)}: {to.stat().st_size // 1024} KiB")


def diff_report(folder: Path) -> None:
    text = (ROOT / "docs/diff.md").read_text("utf-8")
    shop, requests, socket = (
        re.findall(rf"^```{language}\n({start}.*?)^```$", text, re.DOTALL | re.MULTILINE)[0]
        for language, start in (("python", "import"), ("http", "###"), ("text", '# "header'))
    )
    (folder / "shop.http").write_text(requests)
    (folder / "echo.ws").write_text(socket)
    (folder / "shop.py").write_text(shop)
    for before, after in CHANGES:
        assert before in shop
        shop = shop.replace(before, after)
    (folder / "changed.py").write_text(shop)
    command = ["tornado4", "diff", "shop.py", "--port={port}", "--http", "shop.http", "--ws", "echo.ws", "--unsafe"]
    command += ["--new", "tornado4 run changed.py --port={port}", "--html", "report.html"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, timeout=300)
    assert done.returncode == 1, "there are differences to be shown"
    page = (folder / "report.html").as_uri()
    photograph(f"{page}#step-1", TO / "diff-report.png", 1200, 760)


def main() -> None:
    TO.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        diff_report(folder)
        chart = subprocess.run([sys.executable, "-m", "benchmarks.chart"], cwd=ROOT, capture_output=True, check=True)
        (folder / "chart.svg").write_bytes(chart.stdout)
        height, width = re.search(rb'height="(\d+)"', chart.stdout), re.search(rb'width="(\d+)"', chart.stdout)
        assert height is not None and width is not None
        photograph((folder / "chart.svg").as_uri(), TO / "benchmarks.png", int(width[1]), int(height[1]))


if __name__ == "__main__":
    main()
