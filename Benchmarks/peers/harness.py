"""What every comparison shares: our runner, timing in turns, ratios and their spread."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


class Ours:
    """Our side, in a process of its own that answers requests line by line.

    With one thread both sides are pinned to the same core, so that neither gets a better one.
    """

    #: The cores that the run may use, before anything is pinned.
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def __init__(self, tier=None, threads=1):
        self.tier, self.threads = tier, threads
        self.folder = tempfile.mkdtemp(prefix="descent-compare-")
        self.ids = 0

    def __enter__(self):
        # Affinity is set before the runner starts: its thread pool sizes itself by it.
        if self.cores:
            os.sched_setaffinity(0, {self.cores[-1]} if self.threads == 1 else set(self.cores))
        environment = dict(os.environ, DESCENT_NUM_THREADS=str(self.threads), **({"DESCENT_ISA": self.tier} if self.tier else {}))
        self.process = subprocess.Popen([os.path.join(here, "..", ".build", "release", "CompareRunner")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        if self.cores:
            os.sched_setaffinity(0, {self.cores[-1]})
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"our runner ended at {request}")
        answer = json.loads(line)
        if answer.get("error"):
            sys.exit(f"our runner: {answer['error']} at {request}")
        return answer

    def case(self, name, numbers=None, **arrays):
        """A case on arrays (saved as NPY) and numbers; its time is got by `seconds`."""
        self.ids += 1
        ident = f"{name}-{self.ids}"
        data = {}
        for key, array in arrays.items():
            data[key] = os.path.join(self.folder, f"{ident}-{key}.npy")
            np.save(data[key], array)
        self.ask({"do": "prepare", "id": ident, "case": name, "data": data, "numbers": numbers or {}})
        for path in data.values():
            os.remove(path)
        return OurCase(self, ident)


@dataclass
class OurCase:
    ours: Ours
    ident: str
    work: float = 0.0
    unit: str = ""

    def seconds(self):
        answer = self.ours.ask({"do": "time", "id": self.ident})
        self.work, self.unit = answer["work"], answer["unit"]
        return answer["seconds"]

    def result(self):
        path = os.path.join(self.ours.folder, "result.npy")
        self.ours.ask({"do": "write", "id": self.ident, "path": path})
        return np.load(path)

    def release(self):
        self.ours.ask({"do": "release", "id": self.ident})


@dataclass
class PeerCase:
    """A rival's call; `result` gives what is compared with ours."""
    run: callable
    result: callable = None

    def seconds(self, at_least=0.03):
        runs = 1
        while True:
            wall, processor = time.perf_counter(), time.process_time()
            for _ in range(runs):
                self.run()
            # The less of the two, as on our side: one thread is not charged for what else the machine does.
            spent = min(time.perf_counter() - wall, time.process_time() - processor)
            if spent >= at_least:
                return spent / runs
            runs = max(runs + 1, int(1.2 * runs * at_least / max(spent, 1e-9)))

    def release(self):
        self.run = self.result = None


@dataclass
class Figure:
    """One line of an issue's table.

    ratio    rival's time / our time, the best rival counting; target is the least ratio
    percent  our rate / the roofline's rate in the same run, in percent; target is the least percentage
    cost     any function of the medians of `ours` and of the cases of `beside`, in `cost_unit`; target is the most
    """
    name: str
    ours: object
    rivals: dict = field(default_factory=dict)
    roofline: object = None
    target_ratio: float = None
    target_percent: float = None
    #: Work of the roofline that bounds ours, where it is not our own work (a function of the roofline cases' seconds).
    bound: callable = None
    agree: callable = None
    #: More cases of ours, timed in the same turns.
    beside: dict = field(default_factory=dict)
    cost: callable = None
    cost_unit: str = ""
    target_cost: float = None


@dataclass
class Count:
    """A figure that is counted, not timed: a value in `unit`, whose target is the least of it."""
    name: str
    value: float
    unit: str
    detail: str = ""
    target: float = None

    def result(self):
        return {"figure": self.name, "value": self.value, "unit": self.unit, "detail": self.detail, "target_value": self.target,
                "met": None if self.target is None else self.value >= self.target}


def measure(ours, figure, rounds):
    """Times both sides in turns, after checking that they agree."""
    sides = {"ours": figure.ours, **figure.rivals, **figure.beside}
    rooflines = figure.roofline if isinstance(figure.roofline, dict) else {"roofline": figure.roofline} if figure.roofline else {}
    for case in sides.values():
        case.seconds()
    if figure.agree:
        for name, case in figure.rivals.items():
            if case.result and not figure.agree(figure.ours.result(), case.result()):
                print(f"{figure.name}: ours and {name} disagree", file=sys.stderr)
                sys.exit(2)
    times = {name: [] for name in [*sides, *rooflines]}
    for _ in range(rounds):
        for name, case in [*sides.items(), *rooflines.items()]:
            times[name].append(case.seconds())
    median = {name: statistics.median(values) for name, values in times.items()}
    ratios = {}
    for name in figure.rivals:
        each = sorted(r / o for r, o in zip(times[name], times["ours"]))
        ratios[name] = {"median": median[name] / median["ours"], "low": each[len(each) // 4], "high": each[-1 - len(each) // 4]}
    percent = None
    if rooflines:
        if figure.bound:
            percent = 100 * figure.bound(median) / median["ours"]
        else:
            roofline = next(iter(rooflines.values()))
            percent = 100 * (figure.ours.work / median["ours"]) / (roofline.work / median["roofline"])
    cost = figure.cost(median) if figure.cost else None
    met = None
    if figure.target_ratio is not None:
        met = min(r["median"] for r in ratios.values()) >= figure.target_ratio
    if figure.target_percent is not None:
        met = (met is not False) and percent >= figure.target_percent
    if figure.target_cost is not None:
        met = (met is not False) and cost <= figure.target_cost
    result = {"figure": figure.name, "seconds": median, "work": figure.ours.work, "unit": figure.ours.unit, "ratios": ratios,
              "percent_of_roofline": percent, "target_ratio": figure.target_ratio, "target_percent": figure.target_percent,
              "cost": cost, "cost_unit": figure.cost_unit, "target_cost": figure.target_cost, "rounds": rounds, "met": met}
    for case in sides.values():
        case.release()
    return result


def time_text(seconds):
    return f"{seconds * 1e6:.3g} µs" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def render(result):
    """One figure as a line."""
    if "value" in result:
        line = f"{result['figure']}: {result['value']:.3g} {result['unit']}" + (f" · {result['detail']}" if result["detail"] else "")
        met = "met" if result["met"] else "MISSED"
        return line if result["target_value"] is None else f"{line} · target ≥ {result['target_value']} {result['unit']}: {met}"
    parts = [f"{result['figure']}: ours {time_text(result['seconds']['ours'])}"]
    for name, ratio in result["ratios"].items():
        parts.append(f"{name} {time_text(result['seconds'][name])} = {ratio['median']:.2f}× [{ratio['low']:.2f}–{ratio['high']:.2f}]")
    if result["percent_of_roofline"] is not None:
        parts.append(f"{result['percent_of_roofline']:.0f} % of roofline")
    if result["cost"] is not None:
        parts.append(f"{result['cost']:.2f} {result['cost_unit']}")
    wanted = [f"≥ {result['target_ratio']}×" if result["target_ratio"] is not None else "",
              f"≥ {result['target_percent']} %" if result["target_percent"] is not None else "",
              f"≤ {result['target_cost']} {result['cost_unit']}" if result["target_cost"] is not None else ""]
    wanted = " and ".join(filter(None, wanted))
    if wanted:
        parts.append(f"target {wanted}: {'met' if result['met'] else 'MISSED'}")
    return " · ".join(parts)


class Nobody:
    """Stands for our side where the rivals run alone."""

    def case(self, *_, **__):
        return None


def main(figures, description):
    """The rivals of a file alone, checked against each other and timed in turns."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", action="store_true", required=True, help="time the rivals alone")
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    options = parser.parse_args()
    if Ours.cores:
        os.sched_setaffinity(0, {Ours.cores[-1]})
    for figure in figures(Nobody(), options.quick):
        if not figure.rivals:
            continue
        for case in figure.rivals.values():
            case.seconds()
        first, *others = figure.rivals
        for name in others:
            if figure.agree and not figure.agree(figure.rivals[first].result(), figure.rivals[name].result()):
                sys.exit(f"{figure.name}: {first} and {name} disagree")
        times = {name: [] for name in figure.rivals}
        for _ in range(3 if options.quick else 9):
            for name, case in figure.rivals.items():
                times[name].append(case.seconds())
        parts = [figure.name]
        for name, each in times.items():
            each.sort()
            cost = f" = {figure.cost({'ours': statistics.median(each)}):.2f} {figure.cost_unit}" if figure.cost else ""
            parts.append(f"{name} {time_text(statistics.median(each))}{cost} [{time_text(each[len(each) // 4])}–{time_text(each[-1 - len(each) // 4])}]")
        print(" · ".join(parts), flush=True)
