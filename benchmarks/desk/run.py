"""Everything that is measured of the desk: quotes, tables and a simulated year, then network policies.

    python benchmarks/desk/run.py           quotes.py, then network.py --quick: two minutes
    python benchmarks/desk/run.py --all     with network.py on all 48 of its problems

Each prints the machine and its figures; exit code 1 where one of them ends with another than 0.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every problem of network.py")
    asked = parser.parse_args()
    scripts = (["quotes.py"], ["network.py"] if asked.all else ["network.py", "--quick"])
    codes = [
        subprocess.run([sys.executable, HERE / name, *options], check=False).returncode for name, *options in scripts
    ]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
