"""Who solves and who works: what `--engine` names is a solver, or else the crew that works with the usual solver."""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from acreage.crew.choose import LOCAL, NAMES, crew_of, names_crew
from acreage.crew.crew import Crew
from acreage.plan.engines import ENGINES
from acreage.units.errors import InputError

USUAL = "decomposition"


def solver_and_crew(text: str) -> tuple[str, str]:
    """The names of a solver and a crew; raises `InputError` for what names neither."""
    if names_crew(text):
        return USUAL, text
    if text in ENGINES:
        return text, LOCAL
    near = difflib.get_close_matches(text, [*ENGINES, LOCAL, "ray"], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"solvers are {', '.join(ENGINES)}; crews are {NAMES}"
    raise InputError(f"--engine {text!r} names no solver and no crew", fix=hint)


@contextmanager
def hired(text: str, say: Callable[[str], None]) -> Iterator[Crew]:
    """A crew for as long as it is needed; `say` is told if part of it is lost. Raises `InputError`, see `crew_of`."""
    crew = crew_of(text, say)
    try:
        yield crew
    finally:
        crew.close()
