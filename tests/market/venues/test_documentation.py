"""The order book of the documentation does what the page says."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "run-an-auction.md"


def test_the_example_prints_what_the_page_says() -> None:
    """The Python block runs as it stands and prints the block after it."""
    found = re.search(
        r"^```python\n(.*?)^```\n\n```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(found[1], "example", "exec"), {})
    assert printed.getvalue() == found[2]
