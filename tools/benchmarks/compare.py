"""Two revisions of this project, built and timed in turn: what became faster, and what slower.

Each round runs the one and then the other, the next round the other first, so that a slow moment of the machine meets
both. The table shows the median over the rounds of the ratio that a round gives, and the least and greatest of them: the
spread is how far to trust it. Builds are kept under tools/benchmarks/.build-revisions.
"""

import argparse
import statistics
import sys

import machine
import report
from suite import BENCHMARKS

COMPARED = ["encoder", "decoder-step", "beam", "caption", "folder", "jpeg", "train-epoch"]
PACKAGES = ["pillow", "numpy"]  # what inputs are made with


def add_parser(commands):
    parser = commands.add_parser("compare", help="two revisions of this project, timed in turn", description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the one before, as git names it")
    parser.add_argument("--after", metavar="REVISION", help="the one after (default: the working tree)")
    parser.add_argument("--only", action="append", choices=COMPARED, metavar="BENCHMARK",
                        help="may be repeated (default: " + " ".join(COMPARED) + ")")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--size", default="4000x3000", metavar="WxH", help="of the photos that are made (default: 4000x3000)")
    parser.add_argument("--images", type=int, action="append", help="photos of the folder (default: 40)")
    parser.add_argument("--batches", type=int, default=12, help="of train-epoch (default: 12)")
    parser.add_argument("--photos", help="a folder, instead of one made of the sample")
    parser.add_argument("--model", help="instead of the embedded one; both must read it")
    parser.add_argument("--python", help="an interpreter that has " + " and ".join(PACKAGES))
    parser.set_defaults(peers_only=False)


def engines(run) -> list:
    """(command, name of one that is timed as a whole) of each engine of ours."""
    ours = [engine for engine in run.benchmark.engines if engine.command.split()[0] in machine.PRODUCTS and engine.compared]
    run.benchmark = run.benchmark._replace(engines=ours)
    return list(run.engines())


def median(run, engine) -> tuple:
    """The median of what one run of an engine gives, in the table's unit, and what it is called."""
    line = run.timed(*engine)[0]
    about = [line["engine"].split(" (")[0], line.get("precision", "f32")]
    about += [f"batch {line['batch']}"] if line.get("batch") else []
    return statistics.median(report.in_unit(run.benchmark.unit, line)), ", ".join(about)


def rows(name, options, scratch, roots, make_run) -> list:
    python = machine.interpreter(options.python, PACKAGES)
    (scratch / name).mkdir()
    runs = [make_run(BENCHMARKS[name], options, scratch / name, python, root) for root in roots]
    if runs[1].benchmark.inputs:
        runs[1].benchmark.inputs(runs[1])
        runs[0].values = dict(runs[1].values)
    found = []
    for pair in zip(*map(engines, runs)):
        medians = []
        for number in range(options.rounds):
            times = [None, None]
            for side in [0, 1] if number % 2 == 0 else [1, 0]:
                times[side], what = median(runs[side], pair[side])
            medians.append(times)
        ratios = [after / before for before, after in medians]
        before, after = (statistics.median(side) for side in zip(*medians))
        found.append(f"| {name}: {what} | {runs[0].benchmark.unit} | {before:.1f} | {after:.1f} "
                     f"| **{statistics.median(ratios):.3f}** | {min(ratios):.3f} to {max(ratios):.3f} |")
    return found


def main(options, scratch, make_run):
    options.images = options.images or [40]
    roots = [machine.revision(options.revision), machine.revision(options.after) if options.after else machine.ROOT]
    for root in roots:
        for product in machine.PRODUCTS:
            machine.built(product, root)
    print(f"{options.revision} and {options.after or 'the working tree'}, {options.threads} threads, {options.rounds} rounds "
          f"in turn\n{machine.description()}\n")
    print("| benchmark | unit | before | after | after / before | least and greatest |\n|---|---|---|---|---|---|", flush=True)
    for name in options.only or COMPARED:
        for row in rows(name, options, scratch, roots, make_run):
            print(row, flush=True)
    print("\n(photos that are made: " + options.size + ")", file=sys.stderr)
