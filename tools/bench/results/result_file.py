"""Reads what the benchmarks leave: `backplane bench --json`, tools/bench/micro with --benchmark_format=json,
tools/bench/programs --json and tools/bench/boot --json."""

import dataclasses
import json
import math
import pathlib

from .metric import Metric, relative


class BadInput(Exception):
    """A file or an argument is not what it should be; the text says which, and what was expected."""


@dataclasses.dataclass
class Results:
    """By scenario and name: {"guest_cpu": {"alu64.interpreter": Metric}}."""

    scenarios: dict
    environment: dict
    sha: str | None = None  # of the build, if known; "-dirty" behind it where that is not all
    start: float | None = None  # seconds since 1970


def read_json(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path}: not JSON: {error}") from error


def guest_cpu(found):
    metrics = {}
    for result in found["results"]:
        if result["expected_checksum"] != result["observed_checksum"]:
            raise ValueError(f"{result['variant']} in {result['mode']} computed something else")
        mean, stdev = result["mips_mean"], result["mips_stddev"]
        metrics[f"{result['variant']}.{result['mode']}"] = Metric(
            "MIPS", "higher", [mean],
            {"n": result["measured_runs"], "min": result["mips_min"], "max": result["mips_max"], "stdev": stdev,
             "cv": relative(stdev, mean)}, [result["mips_median"]])
    return metrics


def backplane_bench(found):
    if found["version"] != 1:
        raise ValueError(f"version {found['version']} is not known; 1 was expected")
    build = {name: found["build"][name] for name in ("mode", "compiler")}
    return Results({"guest_cpu": guest_cpu(found["benchmarks"]["guest_cpu"])}, found["env"] | build,
                   found["build"]["git_sha"] or None, found["capture"]["startUnixMs"] / 1000)


def google_benchmark(found):
    nanoseconds = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    values = {}
    for result in found["benchmarks"]:
        if result.get("error_occurred"):
            raise ValueError(f"{result['name']} failed: {result.get('error_message')}")
        if result.get("run_type") == "iteration":
            time = result["cpu_time"] * nanoseconds[result["time_unit"]]
            values.setdefault(result["run_name"], []).append(time)
    context = found["context"]
    environment = {"processors": context["num_cpus"], "mhz": context["mhz_per_cpu"],
                   "load_average": next(iter(context.get("load_avg", [])), None)}
    return Results({"micro": {name: Metric("ns", "lower", each) for name, each in values.items()}}, environment)


def programs(found):
    metrics = {f"{name}.backplane": Metric("s", "lower", ways["backplane"])
               for name, ways in found["programs"].items() if isinstance(ways["backplane"], list)}
    if "geometric mean" in found["qemu/backplane"]:
        metrics["faster_than_qemu"] = Metric("x", "higher", [found["qemu/backplane"]["geometric mean"]])
    return Results({"programs": metrics}, {"machine": found["machine"], "properties": found["properties"]})


def boot(found):
    ours, theirs = found["cpu_seconds"]["backplane"], found["cpu_seconds"]["qemu tcg"]
    return Results({"boot": {"cpu_seconds.backplane": Metric("s", "lower", ours),
                             "cpu_seconds.qemu": Metric("s", "lower", theirs)}}, {"arguments": found["arguments"]})


def reader_of(found):
    if not isinstance(found, dict):
        return None
    if found.get("kind") == "backplane-bench":
        return backplane_bench
    if found.get("kind") == "backplane-boot":
        return boot
    if "context" in found and "benchmarks" in found:
        return google_benchmark
    if "programs" in found and "qemu/backplane" in found:
        return programs
    return None


def read_results(path):
    found = read_json(path)
    reader = reader_of(found)
    if reader is None:
        raise BadInput(f"{path}: not a result of a benchmark; one of backplane bench --json, tools/bench/micro, programs "
                       "or boot was expected")
    try:
        results = reader(found)
    except (KeyError, TypeError, IndexError) as error:
        raise BadInput(f"{path}: not a whole result: {error!r}") from error
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from error
    for scenario, metrics in results.scenarios.items():
        for name, metric in metrics.items():
            if not metric.values or not all(isinstance(value, (int, float)) and math.isfinite(value)
                                            for value in metric.values):
                raise BadInput(f"{path}: {scenario}/{name} has no value")
    return results


def read_all(paths):
    """Several files as one: a metric that several have is measured once by each."""
    whole = Results({}, {})
    for path in paths:
        results = read_results(path)
        for scenario, metrics in results.scenarios.items():
            kept = whole.scenarios.setdefault(scenario, {})
            for name, metric in metrics.items():
                try:
                    kept[name] = kept[name].with_results_of(metric) if name in kept else metric
                except ValueError as error:
                    raise BadInput(f"{path}: {scenario}/{name} {error}") from error
        whole.environment = results.environment | whole.environment
        if whole.sha and results.sha and whole.sha != results.sha:
            raise BadInput(f"{path}: is of {results.sha}, and those before it of {whole.sha}")
        whole.sha = whole.sha or results.sha
        whole.start = min(filter(None, (whole.start, results.start)), default=None)
    return whole
