"""Runs the comparisons that `Benchmarks/compare` names; start that, not this."""
import argparse
import json
import os
import platform
import sys

from harness import Count, Ours, measure, render

names = ("binary-gemm", "binary-layer", "binary-encoder", "vector", "gradient", "hvp", "op-overhead", "hutchinson", "lanczos",
         "optimizer-step", "minimize", "direction-network", "poisson", "fwht", "sketch", "least-squares", "completion",
         "newton-sketch", "sinkhorn", "exact-transport", "sparse-transport", "low-rank-transport",
         "schrodinger-bridge")


def main():
    parser = argparse.ArgumentParser(prog="compare")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="3 rounds, small sizes")
    parser.add_argument("--json", action="store_true", help="one object a figure")
    options = parser.parse_args()
    for name in options.names:
        if name not in names:
            parser.error(f"'{name}' is no comparison; expected one of {', '.join(names)}")

    with Ours() as ours:
        info = ours.ask({"do": "info"})
        if not options.json:
            print(f"{cpu()} · {platform.system()} · tier {info['tier']} · {info['blas'].strip()}", flush=True)
        met = True
        for name in options.names or names:
            module = __import__(name.replace("-", "_"))
            for figure in module.figures(ours, options.quick):
                result = figure.result() if isinstance(figure, Count) else measure(ours, figure, rounds=3 if options.quick else 9)
                met = met and result["met"] is not False
                print(json.dumps(result) if options.json else render(result), flush=True)
    return 0 if met else 1


def cpu():
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                family = [l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith(("cpu family", "model\t"))][:2]
                return f"{line.split(':')[1].strip()} (family {family[0]} model {family[1]}), {os.cpu_count()} cores"
    except OSError:
        pass
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
