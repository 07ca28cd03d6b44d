# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: they run themselves again in an emulated machine, and compare medians."""
import pathlib
import statistics
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent


def add_arguments(parser):
    parser.add_argument("--kernel", default="6.12")
    parser.add_argument("--build", default=str(TREE / "build"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help="runs here, which may be any machine that has its devices to lose")


def run_again(script, args, numbers, *options):
    """The exit code of SCRIPT in a guest made with OPTIONS of test/vm/run."""
    again = [script, "--inside", "--build", args.build, "--rounds", str(args.rounds), *map(str, numbers)]
    return subprocess.run([str(TREE / "test/vm/run"), "--kernel", args.kernel, "--timeout", "7200", *options, "--",
                           *again], check=False).returncode


def lab(command):
    """What COMMAND, written with the words of test/vm/lib.sh, prints."""
    answer = subprocess.run(["bash", "-c", f". test/vm/lib.sh; {command}"], cwd=TREE, stdout=subprocess.PIPE, text=True,
                            check=False)
    if answer.returncode != 0:
        sys.exit(f"{sys.argv[0]}: no success: {command}")
    return answer.stdout.strip()


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]
