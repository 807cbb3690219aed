#!/usr/bin/env python3
"""Runs other solvers and ours on one placement instance and prints a row of a table for each.

usage: benches/peers.py INSTANCE [--variant potts|egress|full] [--opening-factor K] [--max-regions N]
                        [--max-providers N] [--seconds S] [--only carafe,highs,toulbar2,scip,cp-sat]

INSTANCE is what planner/examples/solve_placement.rs reads (JSON, also .xz). Peers come from PyPI into a virtual
environment in target/peers, on first use. HiGHS, SCIP and CP-SAT get one and the same file: the compact mixed-integer
program, in which what an end of an edge pays needs a variable for each region and provider. toulbar2 gets cost tables
of pairs, and knows no opening costs. Every solver runs in a process of its own, on two threads where it has them, and is
asked for a gap of zero; its time is that of its own solve call, without building the model.
"""

import argparse
import json
import lzma
import os
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
VENV = os.path.join(TARGET, "peers")
PACKAGES = ["highspy==1.15.1", "pytoulbar2==1.4.0.1", "pyscipopt==6.3.0", "ortools==9.15.6755"]
THREADS = 2


def read(path):
    with (lzma.open(path) if path.endswith(".xz") else open(path, "rb")) as file:
        return json.load(file)


class Instance:
    """An instance in one of its variants: what each end of an edge pays a GB to another region and provider."""

    def __init__(self, path, variant, factor):
        data = read(path)
        self.provider, self.unary = data["prov"], data["unary"]
        providers = max(self.provider) + 1
        potts = variant == "potts"
        self.inside = [5.0] * providers if potts else data["creg"]
        self.outside = [5.0] * providers if potts else data["cnet"]
        self.edges = {}
        for (source, sink), gb in zip(data["edges"], data["gb"]):
            if source != sink:
                self.edges[source, sink] = self.edges.get((source, sink), 0.0) + gb
        full = variant == "full"
        self.open_region = [factor * cost for cost in data["open_region"]] if full else []
        self.open_provider = [factor * cost for cost in data["open_provider"]] if full else []

    def pays(self, source, sink):
        """Cents a GB from one label to another."""
        if source == sink:
            return 0.0
        same = self.provider[source] == self.provider[sink]
        return (self.inside if same else self.outside)[self.provider[source]]


def write_mps(instance, path, max_regions, max_providers):
    """Writes the compact program as MPS, costs in cents."""
    labels, providers = range(len(instance.provider)), range(max(instance.provider) + 1)
    columns, rows, rhs = {}, [], {}

    def entry(column, row, value):
        columns.setdefault(column, []).append((row, value))

    def row(sense, name, right=0.0):
        rows.append((sense, name))
        if right:
            rhs[name] = right

    binaries = set()
    opening = bool(instance.open_region) or max_regions or max_providers
    for node, costs in enumerate(instance.unary):
        row("E", f"one{node}", 1.0)
        for label, cost in enumerate(costs):
            if cost >= 0:
                name = f"x{node}_{label}"
                binaries.add(name)
                entry(name, "cost", cost)
                entry(name, f"one{node}", 1.0)
                if opening:
                    row("L", f"in{node}_{label}")
                    entry(name, f"in{node}_{label}", 1.0)
                    entry(f"y{label}", f"in{node}_{label}", -1.0)
    if opening:
        for label in labels:
            binaries.add(f"y{label}")
            entry(f"y{label}", "cost", instance.open_region[label] if instance.open_region else 0.0)
            row("L", f"of{label}")
            entry(f"y{label}", f"of{label}", 1.0)
            entry(f"z{instance.provider[label]}", f"of{label}", -1.0)
        for provider in providers:
            binaries.add(f"z{provider}")
            entry(f"z{provider}", "cost", instance.open_provider[provider] if instance.open_provider else 0.0)
        for most, prefix, count in [(max_regions, "y", labels), (max_providers, "z", providers)]:
            if most:
                row("L", f"most_{prefix}", float(most))
                for place in count:
                    entry(f"{prefix}{place}", f"most_{prefix}", 1.0)
    for number, ((source, sink), gb) in enumerate(instance.edges.items()):
        for label in labels:
            cost = gb * instance.inside[instance.provider[label]]
            if cost > 0 and instance.unary[source][label] >= 0:
                row("L", f"r{number}_{label}")
                entry(f"u{number}_{label}", "cost", cost)
                entry(f"u{number}_{label}", f"r{number}_{label}", -1.0)
                entry(f"x{source}_{label}", f"r{number}_{label}", 1.0)
                if instance.unary[sink][label] >= 0:
                    entry(f"x{sink}_{label}", f"r{number}_{label}", -1.0)
        for provider in providers:
            cost = gb * (instance.outside[provider] - instance.inside[provider])
            if cost > 0:
                row("L", f"p{number}_{provider}")
                entry(f"v{number}_{provider}", "cost", cost)
                entry(f"v{number}_{provider}", f"p{number}_{provider}", -1.0)
                for node, sign in [(source, 1.0), (sink, -1.0)]:
                    for label in labels:
                        if instance.provider[label] == provider and instance.unary[node][label] >= 0:
                            entry(f"x{node}_{label}", f"p{number}_{provider}", sign)
    with open(path, "w") as file:
        file.write("NAME placement\nROWS\n N cost\n")
        file.writelines(f" {sense} {name}\n" for sense, name in rows)
        file.write("COLUMNS\n")
        for integer in (True, False):
            if integer:
                file.write(" M1 'MARKER' 'INTORG'\n")
            for name, entries in columns.items():
                if (name in binaries) == integer:
                    file.writelines(f" {name} {where} {value!r}\n" for where, value in entries)
            if integer:
                file.write(" M2 'MARKER' 'INTEND'\n")
        file.write("RHS\n")
        file.writelines(f" rhs {name} {right!r}\n" for name, right in rhs.items())
        file.write("BOUNDS\n")
        file.writelines(f" UP bnd {name} 1\n" for name in columns if name[0] in "xyzuv")
        file.write("ENDATA\n")


def highs(mps, _instance, seconds):
    import highspy

    solver = highspy.Highs()
    for option, value in [("output_flag", False), ("threads", THREADS), ("mip_rel_gap", 0.0), ("time_limit", seconds)]:
        solver.setOptionValue(option, value)
    solver.readModel(mps)
    start = time.monotonic()
    solver.run()
    info = solver.getInfo()
    return info.objective_function_value, info.mip_dual_bound, time.monotonic() - start


def scip(mps, _instance, seconds):
    from pyscipopt import Model

    model = Model()
    model.hideOutput()
    model.readProblem(mps)
    model.setParam("limits/time", seconds)
    start = time.monotonic()
    model.optimize()
    return model.getPrimalbound(), model.getDualbound(), time.monotonic() - start


def cp_sat(mps, _instance, seconds):
    from ortools.linear_solver.python import model_builder

    model = model_builder.Model()
    model.import_from_mps_file(mps)
    solver = model_builder.Solver("cp_sat")
    solver.set_time_limit_in_seconds(seconds)
    solver.set_solver_specific_parameters(f"num_workers:{THREADS},relative_gap_limit:0.0")
    start = time.monotonic()
    solver.solve(model)
    return solver.objective_value, solver.best_objective_bound, time.monotonic() - start


def toulbar2(_mps, instance, seconds):
    import pytoulbar2

    if instance.open_region:
        raise SystemExit("no opening costs")
    scale = 1000
    most = sum(max(row) for row in instance.unary) * scale + 10**9
    problem = pytoulbar2.CFN(most, resolution=0)
    allowed = [[label for label, cost in enumerate(row) if cost >= 0] for row in instance.unary]
    for node, labels in enumerate(allowed):
        problem.AddVariable(f"n{node}", [f"l{label}" for label in labels])
        problem.AddFunction([node], [instance.unary[node][label] * scale for label in labels])
    for (source, sink), gb in instance.edges.items():
        table = [round(instance.pays(a, b) * gb * scale) for a in allowed[source] for b in allowed[sink]]
        problem.AddFunction([source, sink], table)
    start = time.monotonic()
    found = problem.Solve(timeLimit=int(seconds))
    took = time.monotonic() - start
    bound = problem.GetDDualBound() if hasattr(problem, "GetDDualBound") else found[1] if found else float("nan")
    return (found[1] if found else float("nan")) / scale, bound / scale, took


SOLVERS = {"highs": highs, "toulbar2": toulbar2, "scip": scip, "cp-sat": cp_sat}


def carafe(args):
    """Ours, by the example that reads the same file."""
    build = ["cargo", "build", "--release", "--quiet", "-p", "carafe-planner", "--example", "solve_placement"]
    subprocess.run(build, cwd=ROOT, check=True)
    command = [os.path.join(TARGET, "release", "examples", "solve_placement"), args.instance]
    for name in ["variant", "opening-factor", "max-regions", "max-providers"]:
        value = getattr(args, name.replace("-", "_"))
        if value is not None:
            command += [f"--{name}", str(value)]
    command += ["--gap", "0", "--time-limit", str(args.seconds)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(said)
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return {"objective": found["objective"], "bound": found["lower_bound"], "seconds": found["seconds"], "cpu": cpu}


def prepare():
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def one(args):
    """The body of a peer's own process: prints its answer as JSON."""
    instance = Instance(args.instance, args.variant, args.opening_factor)
    with tempfile.TemporaryDirectory() as folder:
        mps = os.path.join(folder, "model.mps")
        if args.peer != "toulbar2":
            write_mps(instance, mps, args.max_regions, args.max_providers)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        objective, bound, seconds = SOLVERS[args.peer](mps, instance, args.seconds)
        cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    answer = {"objective": objective / 100, "bound": bound / 100, "seconds": seconds, "cpu": cpu, "mb": megabytes}
    print(json.dumps(answer))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance")
    parser.add_argument("--variant", choices=["potts", "egress", "full"], default="egress")
    parser.add_argument("--opening-factor", type=float, default=1.0)
    parser.add_argument("--max-regions", type=int)
    parser.add_argument("--max-providers", type=int)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--only", default="carafe," + ",".join(SOLVERS))
    parser.add_argument("--peer", choices=list(SOLVERS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return one(args)
    python = prepare()
    print("| solver | objective | bound | gap % | seconds | of processor time | MB |\n|---|---|---|---|---|---|---|")
    for name in args.only.split(","):
        if name == "carafe":
            found = carafe(args)
        else:
            command = [python, os.path.abspath(__file__), *sys.argv[1:], "--peer", name]
            ran = subprocess.run(command, capture_output=True, text=True)
            if ran.returncode != 0:
                reason = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
                print(f"| {name} | {reason} | | | | | |", flush=True)
                continue
            found = json.loads(ran.stdout.strip().splitlines()[-1])
        gap = 100 * (found["objective"] - found["bound"]) / abs(found["objective"])
        print(
            f"| {name} | {found['objective']:,.2f} | {found['bound']:,.2f} | {gap:.5f} "
            f"| {found['seconds']:.2f} | {found['cpu']:.2f} | {found.get('mb', '')} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
