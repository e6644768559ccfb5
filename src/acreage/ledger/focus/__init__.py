"""FOCUS, the FinOps Open Cost and Usage Specification: how bills come in and go out.

`reading` turns a provider's file (FOCUS 1.0 to 1.2, CSV or Parquet) into one exact frame; `writing` turns
such a frame, or charges the books computed themselves, into files others can read, and lists contract
commitments as FOCUS 1.3 has them. `columns` holds the column lists, `cells` the spellings of a cell,
`source` the files, `computed` and `commitments` the rows made from the books, `validate` the rules that
everything written must meet.
"""
