"""A table in plain text: columns as wide as their widest cell, two spaces between them."""

from collections.abc import Collection, Sequence


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = (), indent: str = ""
) -> list[str]:
    """The lines of the table, header first; columns named in `right` are set flush right."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    return [_line(cells, header, widths, right, indent) for cells in (header, *rows)]


def _line(
    cells: Sequence[str], header: Sequence[str], widths: Sequence[int], right: Collection[str], indent: str
) -> str:
    parts = [
        cell.rjust(width) if name in right else cell.ljust(width)
        for cell, name, width in zip(cells, header, widths, strict=True)
    ]
    return (indent + "  ".join(parts)).rstrip()
