"""A plan problem as mpi-sppy's scenarios: the module that `python -m mpisppy.generic_cylinders` is given.

It runs in an environment of its own (see `mpisppy_peer.py`), reads the arrays of the problem from the file named by
PLAN_PROBLEM and prints one line of JSON: seconds, bound and incumbent. All scenarios are built before the clock
starts, so that building Pyomo models is not counted (bundles of scenarios are built after it). A wheel's clock stops
when all of its spokes have ended, the extensive form's is that of HiGHS alone.
"""

import json
import os
import pickle
import resource
import time
from pathlib import Path

import mpisppy.utils.sputils as sputils
import numpy as np
import pyomo.environ as pyo
from mpisppy import MPI
from pyomo.core.expr.numeric_expr import LinearExpression

PROBLEM = pickle.loads(Path(os.environ["PLAN_PROBLEM"]).read_bytes())
COUNT = len(PROBLEM["probability"])
RHO = float(os.environ.get("PLAN_RHO", "1"))
"""Multiplier of the rho that is proportional to a column's cost."""
# The cut generator asks for a solver's name to know the sign of its duals, which this interface to HiGHS does not tell.
type(pyo.SolverFactory("appsi_highs")).name = "highs"

clock = {"began": time.perf_counter(), "built": time.perf_counter(), "cpu": time.process_time()}
ready: dict[str, pyo.ConcreteModel] = {}


def scenario_names_creator(num_scens, start=None):
    """The names of the futures: their number is part of the name."""
    start = start or 0
    return [f"scen{i}" for i in range(start, start + num_scens)]


def inparser_adder(cfg):
    """Nothing but the number of scenarios is asked for."""
    cfg.num_scens_required()


def kw_creator(cfg):
    """No keyword is needed: the file has everything."""
    return {}


def scenario_denouement(rank, scenario_name, scenario):
    """Nothing to do at the end of a scenario."""


def scenario_creator(name):
    """The model of one future; each is handed out once, built before the clock where the hub says so."""
    return ready.pop(name, None) or _model(int(name.removeprefix("scen")))


def hub_and_spoke_dict_callback(hub_dict, list_of_spoke_dict, cfg):
    """Build all scenarios, wait for the other ranks, start the clock."""
    if not cfg.get("scenarios_per_bundle"):
        for number in range(COUNT):
            ready[f"scen{number}"] = _model(number)
    for spoke in list_of_spoke_dict or ():
        if spoke["spoke_class"].__name__ == "XhatLShapedInnerBound":
            # It solves every future to the end before it looks at any of the hub's answers: let that be quick.
            layers = spoke["opt_kwargs"]["options"].setdefault("solver_options_layers", [])
            layers.append(sputils.solver_options_layer("iter0", {"mip_rel_gap": 0.9}))
    MPI.COMM_WORLD.Barrier()
    clock["built"], clock["cpu"] = time.perf_counter(), time.process_time()


def ef_dict_callback(ef_dict, cfg):
    """The extensive form's scenarios are built before its clock starts, too."""
    hub_and_spoke_dict_callback(None, None, cfg)


def custom_writer(found, cfg):
    """Print what was found: of the extensive form, or of the wheel's hub."""
    seconds = time.perf_counter() - clock["built"]
    if hasattr(found, "ef"):
        highs = found.solver._solver_model
        info, seconds = highs.getInfo(), highs.getRunTime()
        best, bound = info.objective_function_value, info.mip_dual_bound
    elif found.strata_rank == 0:
        best, bound = found.BestInnerBound, found.BestOuterBound
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    used = time.process_time() - clock["cpu"]
    total, cpu_s = (MPI.COMM_WORLD.reduce(part, op=MPI.SUM, root=0) for part in (peak, used))
    if MPI.COMM_WORLD.Get_rank() == 0:
        build_s = clock["built"] - clock["began"]
        found = {"seconds": seconds, "build_s": build_s, "cost": best, "bound": bound, "peak_gb": total, "cpu_s": cpu_s}
        print(json.dumps(found), flush=True)


def _rho_setter(scenario):
    """Rho proportional to a column's cost: of one unit, over the range it may take (Watson and Woodruff, 2011)."""
    first = PROBLEM["first"]
    reach = np.maximum(first["upper"] - first["lower"], 1.0)
    rho = RHO * np.maximum(np.abs(PROBLEM["mean_cost"]), 1e-3) / reach
    columns = scenario._mpisppy_node_list[0].nonant_vardata_list
    return [(id(column), float(each)) for column, each in zip(columns, rho, strict=True)]


def _model(number):
    """The Pyomo model of a future.

    L-shaped takes the first stage's cost from any one scenario, so it is the mean over futures in all of them; what a
    future's cost differs by, constants included, is the column `more`.
    """
    first, future, matrix = PROBLEM["first"], PROBLEM["futures"][number], PROBLEM["matrix"]
    model = pyo.ConcreteModel(name=f"scen{number}")
    n = _columns(model, "n", first["lower"], first["upper"], first["is_integer"])
    x = _columns(model, "x", np.zeros(matrix.shape[1]), future["upper"], np.zeros(matrix.shape[1], dtype=bool))
    model.more = pyo.Var()
    model.rules, model.answers, model.limits = pyo.ConstraintList(), pyo.ConstraintList(), pyo.ConstraintList()
    _rows(model.rules, [(first["matrix"], n)], first["row_lower"], first["row_upper"])
    _rows(model.answers, [(matrix, x), (future["coupling"], n)], future["row_lower"], future["row_upper"])
    for k, j in enumerate(future["hanging"]):
        body = _sum([(-1.0, x[j]), *_terms(future["upper_coupling"], k, n)])
        model.limits.add(body >= -float(future["hanging_upper"][k]))
    mean = PROBLEM["mean_cost"]
    differs = _weighed(future["first_cost"] - mean, n)
    model.difference = pyo.Constraint(expr=_sum([*differs, (-1.0, model.more)]) == -future["constant"])
    model.cost = pyo.Objective(expr=_sum([*_weighed(mean, n), *_weighed(future["cost"], x), (1.0, model.more)]))
    model.first_cost = pyo.Expression(expr=_sum(_weighed(mean, n)))
    sputils.attach_root_node(model, model.first_cost, [model.n])
    model._mpisppy_probability = float(PROBLEM["probability"][number])
    return model


def _columns(model, name, lower, upper, is_integer):
    columns = pyo.Var(range(len(lower)))
    model.add_component(name, columns)
    for column, low, high, whole in zip(columns.values(), lower, upper, is_integer, strict=True):
        column.domain = pyo.Integers if whole else pyo.Reals
        column.setlb(float(low))
        column.setub(float(high) if np.isfinite(high) else None)
    return list(columns.values())


def _weighed(weights, columns):
    return [(float(weight), column) for weight, column in zip(weights, columns, strict=True) if weight != 0.0]


def _rows(rows, blocks, lower, upper):
    for r, (low, high) in enumerate(zip(lower, upper, strict=True)):
        terms = [term for matrix, columns in blocks for term in _terms(matrix, r, columns)]
        if not terms or not (np.isfinite(low) or np.isfinite(high)):
            continue
        body = _sum(terms)
        if low == high:
            rows.add(body == float(low))
        else:
            rows.add((float(low) if np.isfinite(low) else None, body, float(high) if np.isfinite(high) else None))


def _terms(matrix, row, columns):
    inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return [
        (float(v), columns[j]) for j, v in zip(matrix.indices[inside], matrix.data[inside], strict=True) if v != 0.0
    ]


def _sum(terms):
    return LinearExpression(linear_coefs=[c for c, _ in terms], linear_vars=[v for _, v in terms])
