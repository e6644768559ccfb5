"""The money side of the books as a Beancount file, which `bean-check` proves to balance.

The file is plain text; amounts have up to six decimals and are exact, so the tolerance is set to nothing.
"""

import hashlib
import re
from collections.abc import Iterable

from acreage.domain.entry import Transaction
from acreage.units.instants import iso_date
from acreage.units.money import usd_text

_ALLOWED = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")
_OTHER = re.compile(r"[^A-Za-z0-9-]+")


def beancount_text(transactions: Iterable[Transaction], *, title: str) -> str:
    """The transactions as Beancount directives, in order of date; accounts are opened on their first day."""
    done = sorted(transactions, key=lambda t: (t.at, t.fact))
    opened: dict[str, str] = {}
    for transaction in done:
        for posting in transaction.postings:
            opened.setdefault(account_name(posting.account), iso_date(transaction.at))
    head = [
        f'option "title" {_quoted(title)}',
        'option "operating_currency" "USD"',
        'option "inferred_tolerance_default" "USD:0"',
        "",
    ]
    head += [f"{day} open {account} USD" for account, day in sorted(opened.items())]
    return "\n".join([*head, "", *(_directive(transaction) for transaction in done)])


def account_name(account: str) -> str:
    """An account as Beancount allows it; two different ones never get the same name."""
    root, *parts = account.split(":")
    return ":".join([root, *(_part(part) for part in parts)])


def _part(part: str) -> str:
    if _ALLOWED.fullmatch(part):
        return part
    # Cleaning may make two names equal: a few digits of the name's hash keep them apart.
    clean = _OTHER.sub("-", part).strip("-")
    clean = clean[:1].upper() + clean[1:] or "X"
    return f"{clean}-{hashlib.sha256(part.encode()).hexdigest()[:6]}"


def _directive(transaction: Transaction) -> str:
    lines = [f"{iso_date(transaction.at)} * {_quoted(transaction.payee)} {_quoted(transaction.narration)}"]
    lines.append(f"  fact: {_quoted(transaction.fact)}")
    if transaction.lease:
        lines.append(f"  lease: {_quoted(transaction.lease)}")
    lines += [f"  {account_name(p.account)}  {usd_text(p.micro_usd)} USD" for p in transaction.postings]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
