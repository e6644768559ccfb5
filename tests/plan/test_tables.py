"""Tables and families hold exactly what was put in, however much futures have in common."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from acreage.plan.formulate.gathering import FamilyBuilder, RowBounds, TableBuilder
from acreage.plan.tables import (
    Table,
    Vector,
    by_columns,
    common_table,
    gathered,
    is_equal,
    moved,
    table_of,
)

SEEDS = st.integers(0, 2**32 - 1)


def some_values(rng: np.random.Generator, ways: int, count: int) -> Vector:
    """Values (ways, count) of which many are zero and many the same in all ways."""
    values = np.tile(rng.integers(0, 3, count).astype(float), (ways, 1))
    changed = rng.random(values.shape) < rng.choice([0.0, 0.2, 0.9], count)
    values[changed] = rng.integers(0, 5, int(changed.sum()))
    return values


def expanded(table: Table) -> Vector:
    """Every future's vector (S, n)."""
    return np.array([table[future] for future in range(table.futures)])


@settings(deadline=None, max_examples=100)
@given(draw=SEEDS)
def test_a_table_gives_back_what_was_put_in(draw: int) -> None:
    """Groups of entries come as one row, as a row a future, or as ways that futures share, in any order at last."""
    rng = np.random.default_rng(draw)
    futures, parts = int(rng.integers(1, 9)), []
    builder = TableBuilder(futures)
    for _ in range(int(rng.integers(1, 6))):
        ways = int(rng.integers(1, 5))
        numbers = rng.integers(0, ways, futures)
        values = some_values(rng, ways, int(rng.integers(0, 7)))
        builder.add(values, numbers if ways > 1 else None)
        parts.append(values[numbers])
        own = some_values(rng, futures, int(rng.integers(0, 4)))
        builder.add(own)
        parts.append(own)
    whole = np.concatenate(parts, axis=1)
    order = rng.permutation(whole.shape[1])
    table = builder.build(order)
    assert np.array_equal(expanded(table), whole[:, order])
    places, some = rng.permutation(whole.shape[1])[:5], rng.permutation(futures)[:3]
    assert np.array_equal(table.columns(places, some), whole[:, order][np.ix_(some, places)])


@settings(deadline=None, max_examples=60)
@given(draw=SEEDS)
def test_tables_made_in_full_or_one_by_one_are_equal(draw: int) -> None:
    """Two ways to make a table hold the same; one changed number makes them differ."""
    rng = np.random.default_rng(draw)
    values = some_values(rng, int(rng.integers(1, 6)), int(rng.integers(1, 8)))
    one, other = table_of(values), gathered(len(values), lambda future: values[future])
    assert np.array_equal(expanded(one), values)
    assert np.array_equal(expanded(other), values)
    assert is_equal(one, other)
    values = values.copy()
    values[rng.integers(len(values)), rng.integers(values.shape[1])] += 1.0
    assert not is_equal(one, table_of(values))


@settings(deadline=None, max_examples=60)
@given(draw=SEEDS)
def test_a_table_moves_in_every_future_alike(draw: int) -> None:
    """base + step (other - base), also where the two have different places in common; infinite numbers stay."""
    rng = np.random.default_rng(draw)
    shape = (int(rng.integers(1, 6)), int(rng.integers(1, 8)))
    base, other = some_values(rng, *shape), some_values(rng, *shape)
    base[:, 0] = other[:, 0] = np.inf
    found = moved(table_of(base), table_of(other), 0.5)
    assert np.array_equal(expanded(found)[:, 1:], base[:, 1:] + 0.5 * (other[:, 1:] - base[:, 1:]))
    assert np.isinf(expanded(found)[:, 0]).all()


def test_a_future_may_have_a_whole_vector_of_its_own() -> None:
    """Rows of few futures come before what is common and what is their own."""
    table = table_of(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]]))
    table = Table(common=table.common, places=table.places, values=table.values, rows={2: np.array([8.0, 9.0])})
    assert np.array_equal(expanded(table), [[1.0, 2.0], [1.0, 3.0], [8.0, 9.0]])
    assert np.array_equal(table.columns(np.array([1]), np.array([2, 0])), [[9.0], [2.0]])
    assert not is_equal(table, common_table(np.array([1.0, 2.0]), 3))


@settings(deadline=None, max_examples=100)
@given(draw=SEEDS)
def test_a_family_gives_back_what_was_put_in(draw: int) -> None:
    """The matrix of each future by row and by column is the one that was put together a column at a time."""
    rng = np.random.default_rng(draw)
    futures, rows, columns = (int(rng.integers(1, 7)) for _ in range(3))
    builder, wanted = FamilyBuilder(futures), np.zeros((futures, rows, columns))
    for column in range(columns):
        ways = int(rng.integers(1, 4))
        numbers = rng.integers(0, ways, futures)
        values = some_values(rng, ways, rows)
        zeros = bool(rng.random() < 0.3)
        builder.add(np.arange(rows), column, values, numbers if ways > 1 else None, zeros=zeros)
        wanted[:, :, column] = values[numbers] if ways > 1 else values[0]
    family = builder.build((rows, columns))
    pattern = by_columns(family)
    for future in range(futures):
        assert np.array_equal(family[future].toarray(), wanted[future])
        assert np.array_equal(pattern.matrix(family.data[future]).toarray(), wanted[future])
    assert np.array_equal(family.rows, sparse.csr_matrix(family[0]).tocoo().row)
    assert family.has_pattern_of(family)


def test_bounds_that_are_demands_are_kept_once() -> None:
    """A demand bounds its row from below and above; rows that are only bounded above vary there alone."""
    rng = np.random.default_rng(5)
    demand, work = rng.random((4, 3)), rng.random((4, 1))
    bounds = RowBounds(4)
    bounds.add(0, 2, -np.inf, 0.0)
    bounds.add(2, 1, -np.inf, work)
    bounds.add(3, 3, demand, demand)
    lower, upper = bounds.build()
    assert np.array_equal(expanded(lower)[:, 3:], demand)
    assert np.isneginf(expanded(lower)[:, :3]).all()
    assert np.array_equal(expanded(upper), np.concatenate([np.zeros((4, 2)), work, demand], axis=1))
    assert np.shares_memory(lower.values, upper.values)
