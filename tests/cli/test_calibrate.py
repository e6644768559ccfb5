"""`acreage calibrate`: what it prints, what it writes, and every refusal; nothing is written where it fails."""

import gzip
import importlib
import json
import math
import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from acreage.cli.main import acreage, guarded
from acreage.flow.calibrating import FORECASTS, load_forecasters
from acreage.portfolio.document import load_document
from acreage.units.errors import InputError

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to" / "calibrate-futures.md"
SCHEMA = ROOT / "src" / "acreage" / "flow" / "calibration.schema.json"
GOLDEN = Path(__file__).parent / "golden" / "calibrate.txt"
PORTFOLIO = "examples/startup/portfolio.yaml"
PRICES = "provider,region,instance_type,pricing_model,observed_from,usd_per_instance_hour"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, a price history, spot and serving traces and no history of demand."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    _write_prices(tmp_path / "prices.csv", rng)
    _write_spot(tmp_path / "spot", rng)
    _write_serving(tmp_path / "serving.csv.gz", rng)
    return tmp_path


def _write_prices(file: Path, rng: np.random.Generator) -> None:
    """Four years of months of two kinds and two chips, and one list price that was ten times too high for a while."""
    lines = [PRICES]
    for kind, name in ((k, n) for k in ("on_demand", "spot") for n in ("p5.48xlarge", "p4d.24xlarge")):
        usd = 40.0
        for month in range(48):
            usd *= math.exp(0.1 * rng.standard_normal())
            lines.append(f"aws,us-east-1,{name},{kind},{2022 + month // 12}-{month % 12 + 1:02}-01,{usd:.4f}")
    for on, usd in (("2022-01-01", 4.0), ("2023-01-01", 40.0), ("2024-01-01", 4.0)):
        lines.append(f"aws,us-east-1,g5.xlarge,on_demand,{on},{usd}")
    file.write_text("\n".join(lines) + "\n")


def _write_spot(folder: Path, rng: np.random.Generator) -> None:
    """Five zones side by side for ten days by the hour, and a processor's."""
    folder.mkdir()
    index = ["trace_id,kind,nodes,cloud,zone,resource,start_date,gap_seconds,ticks"]
    runs = ["trace_id,start_tick,n_ticks,available"]
    for i in range(6):
        resource = "intel_64" if i == 5 else "v100_1"
        index.append(f"t{i},availability,4,aws,zone-{i},{resource},2023-02-15,3600,240")
        runs += [f"t{i},{tick},8,{rng.integers(0, 5)}" for tick in range(0, 240, 8)]
    (folder / "spot_traces_index.csv").write_text("\n".join(index) + "\n")
    (folder / "spot_traces_rle.csv").write_text("\n".join(runs) + "\n")


def _write_serving(file: Path, rng: np.random.Generator) -> None:
    """Eight days of requests, three by day for one by night."""
    hours = [h for h in range(8 * 24) for _ in range(rng.poisson(30 if 8 <= h % 24 < 20 else 10))]
    stamps = [f"2026-03-{1 + h // 24:02} {h % 24:02}:{rng.integers(60):02}:00" for h in hours]
    with gzip.open(file, "wt") as lines:
        lines.write("at,tokens\n" + "".join(f"{stamp},1\n" for stamp in stamps))


def _write_demand(file: Path, workloads: tuple[str, ...], rows: int = 40) -> None:
    """Growing monthly demand."""
    rng = np.random.default_rng(2)
    lines = ["date,workload,value"]
    for name in workloads:
        value = 100.0
        for month in range(rows):
            value *= math.exp(0.05 + 0.05 * rng.standard_normal())
            lines.append(f"{2022 + month // 12}-{month % 12 + 1:02}-01,{name},{value:.3f}")
    file.write_text("\n".join(lines) + "\n")


def run(command: str) -> int:
    """Run a command line as the shell would, in this process; returns its exit code."""
    return guarded(lambda: acreage.main(args=shlex.split(command), standalone_mode=False))


ALL = f"calibrate {PORTFOLIO} --prices prices.csv --spot spot --serving serving.csv.gz"


def test_what_it_prints_is_as_agreed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole screen, to the digit: the same seed gives the same answer."""
    assert run(ALL) == 0
    assert capsys.readouterr().out == GOLDEN.read_text(encoding="utf-8")


def test_the_json_holds_every_estimate_with_its_interval_and_source(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what cannot be said with a reason; the block has the portfolio's own field names."""
    assert run(f"{ALL} -o json") == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    for one in found["estimates"]:
        assert one["low"] <= one["value"] <= one["high"]
        assert one["observations"] > 0
        assert one["source"]
        assert one["method"]
    assert all(one["why"] for one in found["unsaid"])
    assert [one["key"][2] for one in found["excursions"]] == ["g5.xlarge"]
    assert found["notes"] == ["set aside: spot traces of intel_64, not in the catalog"]
    assert set(found["block"]["uncertainty"]) == {"price_sd_frac_per_year", "market_limit_sd_frac", "weights"}


def test_the_block_is_written_once_and_is_yaml(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is not written over, and nothing else is calibrated for nothing."""
    assert run(f"{ALL} --write found.yaml") == 0
    block = load_document(here / "found.yaml").value
    assert set(block["uncertainty"]["weights"]) == {"price", "scarcity"}
    assert run(f"{ALL} --write found.yaml") == 2
    assert "it is there already" in capsys.readouterr().err


def test_demand_is_forecast_and_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Growth and spread of the fleet with a history stand in the block."""
    _write_demand(here / "demand.csv", ("assistant",))
    assert run(f"calibrate {PORTFOLIO} --demand demand.csv -o json") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert set(document["block"]["workloads"]["assistant"]) == {"growth_per_year", "demand_sd_frac_per_year"}
    assert run(f"calibrate {PORTFOLIO} --demand demand.csv") == 0
    told = capsys.readouterr().out
    assert "COVERAGE of the chosen forecasts' intervals" in told
    assert re.search(r"serving_fleet: assistant\n    growth_per_year: 1\.\d+ +# 95 %:", told)


def test_the_commands_of_the_how_to_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the page, on the files of this test under the names that the page gives them."""
    _write_demand(here / "demand.csv", ("assistant", "research"))
    page = HOW_TO.read_text(encoding="utf-8")
    commands = re.findall(r"^acreage (calibrate .*)$", "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)), re.M)
    assert len(commands) >= 3
    for command in commands:
        assert run(command) == 0, command
    block = load_document(here / "calibrated.yaml").value
    assert set(block) == {"uncertainty", "workloads"}
    assert set(block["uncertainty"]) == {"demand_sd_frac_per_year", "weights"}


def test_a_missing_library_is_named_with_its_remedy() -> None:
    """Before any work is done."""

    def missing(name: str) -> object:
        assert name == FORECASTS
        return importlib.import_module("acreage.no_such_module")

    with pytest.raises(InputError, match=r"run pip install 'acreage\[forecast\]'"):
        load_forecasters(missing)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("aws,us-east-1,x,spot,2024-13-01,3", "prices.csv:2: observed_from: '2024-13-01' is not a date"),
        ("aws,us-east-1,x,spot,2024-01-01,-3", "prices.csv:2: usd_per_instance_hour: -3 is out of range"),
        ("aws,us-east-1,x,spot,2024-01-01,cheap", "prices.csv:2: usd_per_instance_hour: 'cheap' is not a number"),
        ("aws,us-east-1,x,weekly,2024-01-01,3", "prices.csv:2: pricing_model: 'weekly' is no pricing model"),
        ("a,b,x,spot,2024-01-01,3\na,b,x,spot,2024-01-01,4", "prices.csv:3: a b x spot 2024-01-01 stands twice"),
        ("a,b,x,spot,2024-01-01,3,4", "prices.csv:2: more cells than the header"),
        ("", "prices.csv:1: there is no row below the header"),
    ],
)
def test_a_price_history_with_a_mistake_is_refused_at_its_line(
    here: Path, capsys: pytest.CaptureFixture[str], row: str, message: str
) -> None:
    """File, line and field, exit code 2."""
    (here / "prices.csv").write_text(f"{PRICES}\n{row}\n")
    assert run(f"calibrate {PORTFOLIO} --prices prices.csv --write found.yaml") == 2
    assert message in capsys.readouterr().err
    assert not (here / "found.yaml").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("t0,0,8,", "t0,0,7,"), "the runs of t0 do not cover tick 7"),
        (("t0,0,8,", "gone,0,8,"), "spot_traces_rle.csv:2: trace_id: 'gone' is not in spot_traces_index.csv"),
        (("trace_id,", "id,"), "no column 'trace_id'"),
        (("t0,0,8,", "t0,0,8,9"), "nodes"),
    ],
)
def test_spot_traces_with_a_mistake_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    """A tick uncovered, an unknown trace, a missing column, more instances than were asked for."""
    runs = here / "spot" / "spot_traces_rle.csv"
    runs.write_text(runs.read_text().replace(*change, 1))
    if change[1] == "gone,0,8,":
        runs.write_text(runs.read_text() + "t0,0,8,1\n")
    assert run(f"calibrate {PORTFOLIO} --spot spot") == 2
    assert message in capsys.readouterr().err


def test_json_traces_are_read_by_their_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four zones with prices; one that is no trace is refused."""
    rng = np.random.default_rng(3)
    folder = here / "raw"
    folder.mkdir()
    for zone in "abcd":
        data = rng.integers(0, 5, 240)
        content = {"metadata": {"gap_seconds": 3600}, "data": data.tolist(), "prices": (6.0 - data).tolist()}
        (folder / f"availability__4-node__aws-02-15-2023__us-east-1{zone}_v100_1.json").write_text(json.dumps(content))
    assert run(f"calibrate {PORTFOLIO} --spot raw -o json") == 0
    found = {one["quantity"]: one for one in json.loads(capsys.readouterr().out)["estimates"]}
    assert found["availability_with_price_correlation"]["value"] == pytest.approx(-1.0)
    (folder / "odd.json").write_text("[1, 2]")
    assert run(f"calibrate {PORTFOLIO} --spot raw") == 2
    assert "not a spot trace" in capsys.readouterr().err


def test_a_serving_trace_without_times_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The forms that are read are named."""
    (here / "odd.csv").write_text("when,tokens\n2026-01-01,3\n")
    assert run(f"calibrate {PORTFOLIO} --serving odd.csv") == 2
    assert "have arrival_s, or t_s and qps_sum, or at (or gmt_create)" in capsys.readouterr().err
    (here / "odd.csv").write_text("arrival_s\n0\n1e15\n")
    assert run(f"calibrate {PORTFOLIO} --serving odd.csv") == 2
    assert "times are seconds; at most 3,660 days are read" in capsys.readouterr().err
    (here / "odd.csv").write_text("at\nyesterday\n")
    assert run(f"calibrate {PORTFOLIO} --serving odd.csv") == 2
    assert "odd.csv:2: at: 'yesterday' is not a date-time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("assistant", "asistant"), "demand.csv:2: workload: the portfolio has no workload 'asistant'; did you mean"),
        (("2022-02-01,", "2022-02-30,"), "demand.csv:3: date: '2022-02-30' is not a date"),
        (("date,workload,value", "date,workload,demand"), "demand.csv:1: no column 'value'"),
        (("2022-02-01,assistant", "2022-01-01,assistant"), "2022-01-01 stands twice, first in line 2"),
    ],
)
def test_a_history_of_demand_with_a_mistake_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    """Unknown workload, no date, a missing column, a date twice."""
    _write_demand(here / "demand.csv", ("assistant",))
    text = (here / "demand.csv").read_text()
    (here / "demand.csv").write_text(text.replace(*change, 1))
    assert run(f"calibrate {PORTFOLIO} --demand demand.csv") == 2
    assert message in capsys.readouterr().err


def test_a_history_too_short_says_how_long_it_must_be(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its file; likewise a training run is told to have no rate."""
    _write_demand(here / "demand.csv", ("assistant",), rows=20)
    assert run(f"calibrate {PORTFOLIO} --demand demand.csv") == 2
    assert "demand.csv: date: 20 monthly rows are too short a history: 36 are needed" in capsys.readouterr().err


def test_nothing_given_and_no_books_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be given is named."""
    assert run(f"calibrate {PORTFOLIO}") == 2
    assert "there is nothing to calibrate from; give --prices" in capsys.readouterr().err
    assert run(f"calibrate {PORTFOLIO} --books none.db") == 2
    assert "there are no books here" in capsys.readouterr().err
    (here / "torn.csv.gz").write_bytes((here / "serving.csv.gz").read_bytes()[:90] + b"torn" * 9)
    for name in ("none.csv", "spot", "torn.csv.gz"):
        assert run(f"calibrate {PORTFOLIO} --prices {name}") == 2
        assert f"{name}: cannot be read" in capsys.readouterr().err


def test_deliveries_in_the_books_give_laws(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Books without a delivery say so; one tranche 19 days late and one on time are half on time, and no law."""
    contract = (ROOT / "src" / "acreage" / "portfolio" / "contract.yaml").read_text(encoding="utf-8")
    past = re.sub(r"20(\d\d)-", lambda year: f"20{int(year[1]) - 5}-", contract)
    # The lease runs for long, as the books ask the clock whether it still does.
    (here / "contract.yaml").write_text(re.sub(r"ends: \S+", "ends: 2095-01-01", past))
    assert run("lease propose contract.yaml --yes --ledger books.db") == 0
    assert run("lease sign basalt-2027 --at 2021-12-01 --yes --ledger books.db") == 0
    assert run(f"calibrate {PORTFOLIO} --books books.db") == 0
    assert "the books hold no delivery yet" in capsys.readouterr().out
    for day in ("2022-01-20", "2022-03-01"):
        assert run(f"lease deliver basalt-2027 --accelerators 1024 --at {day} --yes --ledger books.db") == 0
    capsys.readouterr()
    assert run(f"calibrate {PORTFOLIO} --books books.db -o json") == 0
    found = json.loads(capsys.readouterr().out)
    share = next(one for one in found["estimates"] if one["quantity"] == "on_time_frac")
    assert (share["subject"], share["value"], share["observations"]) == ("basalt", 0.5, 2)
    assert {one["quantity"] for one in found["unsaid"]} == {"median_days", "p90_days"}


def test_the_least_of_data_is_answered_with_what_is_missing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One price, one request, one zone for a day: nothing can be said, and that is an answer."""
    (here / "prices.csv").write_text(f"{PRICES}\naws,us-east-1,p5.48xlarge,spot,2024-01-01,40\n")
    (here / "serving.csv").write_text("arrival_s\n12.5\n")
    content = {"metadata": {"gap_seconds": 3600}, "data": [0, 1] * 12}
    (here / "availability__1-node__aws-02-15-2023__us-east-1a_v100_1.json").write_text(json.dumps(content))
    names = (
        "--prices prices.csv --serving serving.csv --spot availability__1-node__aws-02-15-2023__us-east-1a_v100_1.json"
    )
    assert run(f"calibrate {PORTFOLIO} {names} -o json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["estimates"] == []
    assert found["block"]["uncertainty"] == {}
    assert len(found["unsaid"]) > 10


def test_dates_of_a_day_later_do_not_matter_to_prices(here: Path) -> None:
    """Days within a month: the grid is of months."""
    text = (here / "prices.csv").read_text()
    assert run(f"calibrate {PORTFOLIO} --prices prices.csv --write one.yaml") == 0
    moved = re.sub(r"(\d{4}-\d\d)-01", lambda m: str(date.fromisoformat(m[0]) + timedelta(days=20)), text)
    (here / "prices.csv").write_text(moved)
    assert run(f"calibrate {PORTFOLIO} --prices prices.csv --write two.yaml") == 0
    assert (here / "one.yaml").read_text() == (here / "two.yaml").read_text()
