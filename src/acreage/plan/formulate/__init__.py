"""From words to numbers: a portfolio and its futures become a `PlanProblem`.

`variants` lists the ways each offer could be signed, `capacity` says what a lease delivers in a
future, `money` what it costs there; `first_stage` and `recourse` lay out columns and rows;
`formulate` puts them together and keeps the index that leads back to the words.
"""
