#!/usr/bin/env python3
"""tools/bench/history, as people use it: what it keeps, what it refuses, and how it judges. The schemas are in
bench/schema. usage: history_test.py PROGRAM (backplane) MICROBENCH"""

import copy
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
HISTORY = ROOT / "tools/bench/history"
SHA = "0123456789abcdef0123456789abcdef01234567"
PASS, REGRESSION, UNSTABLE, BAD_INPUT = 0, 1, 2, 3


def schema(name):
    return jsonschema.Draft202012Validator(json.loads((ROOT / f"bench/schema/{name}.schema.json").read_text()))


def result(variant="alu64", mode="interpreter", mean=100.0, stdev=1.0):
    return {"variant": variant, "mode": mode, "measured_runs": 50, "instructions_per_run": 70003,
            "total_instructions": 3500150, "total_seconds": 0.035, "mips": mean, "mips_mean": mean, "mips_stddev": stdev,
            "mips_min": mean - 3, "mips_max": mean + 3, "mips_median": mean, "mips_p95": mean + 2,
            "expected_checksum": "0xf935f9482b8f99b8", "observed_checksum": "0xf935f9482b8f99b8",
            "jit": {"enabled": False,
                    "totals": {"tier1": {"blocks_compiled": 0, "compile_ms": 0},
                               "tier2": {"blocks_compiled": 0, "compile_ms": 0, "passes_ms": {}},
                               "cache": {"lookup_hit": 0, "lookup_miss": 0, "capacity_bytes": 0, "used_bytes": 0},
                               "deopt": {"count": 0, "guard_fail": 0}},
                    "rolling": {"window_ms": 35, "cache_hit_rate": 0, "compile_ms_per_s": 0, "blocks_compiled_per_s": 0},
                    "mmu_translate_calls": 0, "guest_mem_ops": 1}}


def export(*results):
    return {"kind": "backplane-bench", "version": 1,
            "build": {"version": "0.1.0", "git_sha": "", "mode": "Release", "compiler": "Clang 19"},
            "env": {"os": "Linux", "arch": "x86_64", "cpu": "a processor", "processors": 2, "load_average": 0.5},
            "capture": {"startUnixMs": 1767225600000, "endUnixMs": 1767225601000, "durationMs": 1000},
            "benchmarks": {"guest_cpu": {"iters_per_run": 10000, "warmup_runs": 3, "measured_runs": 50, "seconds": 1,
                                         "results": list(results)}}}


def micro(*times, name="event_hub_publish_without_subscriber"):
    return {"context": {"num_cpus": 2, "mhz_per_cpu": 3000, "load_avg": [0.5]},
            "benchmarks": [{"name": name, "run_name": name, "run_type": "iteration", "cpu_time": time, "real_time": time,
                            "time_unit": "ns"} for time in times]
            + [{"name": f"{name}_mean", "run_name": name, "run_type": "aggregate", "cpu_time": 1e9, "time_unit": "ns"}]}


class HistoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.history = self.folder / "history.json"

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def run_tool(self, *arguments):
        return subprocess.run([HISTORY, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def append(self, *arguments):
        return self.run_tool("append", "--history", self.history, *arguments)

    def appended(self, *arguments):
        run = self.append(*arguments)
        self.assertEqual(run.returncode, 0, run.stdout)
        kept = json.loads(self.history.read_text())
        schema("history").validate(kept)
        return kept

    def compare(self, base, new, code, text, profile="nightly", *more):
        run = self.run_tool("compare", base, new, "--profile", profile, "--history", self.history, *more)
        self.assertEqual(run.returncode, code, run.stdout)
        self.assertIn(text, run.stdout)
        return run.stdout

    def compare_results(self, base, new, code, text, profile="nightly", *more):
        return self.compare(self.write("base.json", base), self.write("new.json", new), code, text, profile, *more)


class Append(HistoryTest):
    def test_keeps_the_samples_of_one_result(self):
        path = self.write("a.json", export(result(mean=200.0, stdev=4.0)))
        kept = self.appended(path, "--commit", SHA, "--url", f"https://example.org/commit/{SHA}")
        self.assertEqual(kept["schemaVersion"], 1)
        entry = kept["entries"][f"2026-01-01T00:00:00Z-{SHA}"]
        self.assertEqual(entry["commit"], {"sha": SHA, "url": f"https://example.org/commit/{SHA}"})
        self.assertEqual(entry["environment"]["cpu"], "a processor")
        self.assertEqual(entry["scenarios"]["guest_cpu"]["metrics"]["alu64.interpreter"],
                         {"value": 200.0, "unit": "MIPS", "better": "higher",
                          "samples": {"n": 50, "min": 197.0, "max": 203.0, "stdev": 4.0, "cv": 0.02}})

    def test_takes_several_results_as_samples(self):
        random.seed(7)
        means = [random.uniform(90, 110) for _ in range(7)]
        paths = [self.write(f"{index}.json", export(result(mean=mean))) for index, mean in enumerate(means)]
        entry = next(iter(self.appended(*paths, "--commit", SHA)["entries"].values()))
        metric = entry["scenarios"]["guest_cpu"]["metrics"]["alu64.interpreter"]
        self.assertAlmostEqual(metric["value"], statistics.mean(means))
        samples = metric["samples"]
        self.assertEqual((samples["n"], samples["min"], samples["max"]), (7, min(means), max(means)))
        self.assertAlmostEqual(samples["stdev"], statistics.stdev(means))
        self.assertAlmostEqual(samples["cv"], statistics.stdev(means) / statistics.mean(means))

    def test_takes_micro_benchmarks_programs_and_boots(self):
        programs = {"machine": "linux-serial", "properties": [], "qemu/backplane": {"geometric mean": 2.5},
                    "programs": {"sha256": {"backplane": [1.0, 2.0, 3.0], "qemu": [4.0]},
                                 "broken": {"backplane": "wrong result"}}}
        boot = {"kind": "backplane-boot", "arguments": [], "cpu_seconds": {"backplane": [2.0, 2.2], "qemu tcg": [4.0, 4.1]}}
        kept = self.appended(self.write("m.json", micro(1.0, 1.5)), self.write("p.json", programs),
                             self.write("b.json", boot), "--commit", SHA)
        scenarios = next(iter(kept["entries"].values()))["scenarios"]
        self.assertEqual(scenarios["micro"]["metrics"]["event_hub_publish_without_subscriber"]["value"], 1.25)
        self.assertEqual(scenarios["programs"]["metrics"]["sha256.backplane"]["value"], 2.0)
        self.assertEqual(scenarios["programs"]["metrics"]["faster_than_qemu"]["better"], "higher")
        self.assertNotIn("broken.backplane", scenarios["programs"]["metrics"])
        self.assertAlmostEqual(scenarios["boot"]["metrics"]["cpu_seconds.backplane"]["value"], 2.1)

    def test_a_single_value_has_no_deviation(self):
        kept = self.appended(self.write("m.json", micro(1.0)), "--commit", SHA)
        metric = next(iter(kept["entries"].values()))["scenarios"]["micro"]["metrics"]
        self.assertEqual(metric["event_hub_publish_without_subscriber"]["samples"],
                         {"n": 1, "min": 1.0, "max": 1.0, "stdev": None, "cv": None})

    def test_adds_other_scenarios_to_the_same_entry(self):
        when = ["--commit", SHA, "--timestamp", "2026-02-03T04:05:06Z"]
        self.appended(self.write("a.json", export(result())), *when)
        kept = self.appended(self.write("m.json", micro(1.0)), *when)
        self.assertEqual(len(kept["entries"]), 1)
        self.assertEqual(set(next(iter(kept["entries"].values()))["scenarios"]), {"guest_cpu", "micro"})
        again = self.append(self.folder / "m.json", *when)
        self.assertEqual(again.returncode, BAD_INPUT)
        self.assertIn("has micro already", again.stdout)

    def test_refuses_what_it_does_not_know_and_leaves_the_file_alone(self):
        path = self.write("a.json", export(result()))
        for damage, told in ({"schemaVersion": 2, "entries": {}}, "schemaVersion 2 is not known; 1 was expected"), \
                ({"entries": {}}, "schemaVersion None"), ([], "schemaVersion None"), ("{", "not JSON"), \
                ({"schemaVersion": 1}, "entries: a map was expected"), \
                ({"schemaVersion": 1, "entries": {"x": {"id": "x"}}}, "the entry x is damaged"):
            self.write("history.json", damage)
            before = self.history.read_text()
            run = self.append(path, "--commit", SHA)
            self.assertEqual(run.returncode, BAD_INPUT, run.stdout)
            self.assertIn(told, run.stdout)
            self.assertEqual(self.history.read_text(), before)
            self.assertNotIn("Traceback", run.stdout)

    def test_refuses_results_that_are_none(self):
        wrong = export(result())
        wrong["benchmarks"]["guest_cpu"]["results"][0]["observed_checksum"] = "0x0000000000000000"
        half = export(result())
        del half["benchmarks"]["guest_cpu"]["results"][0]["mips_mean"]
        later = export(result()) | {"version": 2}
        infinite = export(result(mean=float("inf")))
        dirty = export(result())
        dirty["build"]["git_sha"] = "abc1234-dirty"
        for content, told in (wrong, "computed something else"), (half, "not a whole result"), (later, "version 2"), \
                ({"a": 1}, "not a result of a benchmark"), ("", "not JSON"), (infinite, "has no value"), \
                (dirty, "changes that no commit has"):
            run = self.append(self.write("a.json", content))
            self.assertEqual(run.returncode, BAD_INPUT, run.stdout)
            self.assertIn(told, run.stdout)
            self.assertNotIn("Traceback", run.stdout)
        self.assertFalse(self.history.exists())

    def test_refuses_impossible_arguments(self):
        path = self.write("a.json", export(result()))
        for arguments in ["--commit", "main"], ["--commit", SHA, "--url", "javascript:alert(1)"], \
                ["--commit", SHA, "--timestamp", "yesterday"], ["--comit", SHA]:
            run = self.append(path, *arguments)
            self.assertEqual(run.returncode, BAD_INPUT, run.stdout)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_tells_of_a_folder_that_cannot_be_written(self):
        path = self.write("a.json", export(result()))
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.assertIn("Permission denied", self.append(path, "--commit", SHA).stdout)

    def test_leaves_nothing_beside_the_file(self):
        path = self.write("a.json", export(result()))
        self.appended(path, "--commit", SHA)
        self.assertEqual(sorted(each.name for each in self.folder.iterdir()), ["a.json", "history.json"])
        missing = self.run_tool("append", "--history", self.folder / "none/history.json", path, "--commit", SHA)
        self.assertEqual(missing.returncode, BAD_INPUT)
        self.assertIn("No such file or directory", missing.stdout)


class Compare(HistoryTest):
    def test_passes_what_is_about_the_same(self):
        self.compare_results(export(result(mean=100.0)), export(result(mean=96.0)), PASS, "pass")

    def test_finds_what_is_slower(self):
        self.compare_results(export(result(mean=100.0)), export(result(mean=94.0)), REGRESSION,
                             "is 6.0% worse, more than 5.0%")

    def test_tells_what_is_faster(self):
        self.compare_results(export(result(mean=100.0)), export(result(mean=150.0)), PASS, "improvement")

    def test_knows_that_less_time_is_better(self):
        self.compare_results(micro(1.0), micro(2.0), REGRESSION, "100.0% worse")
        self.compare_results(micro(2.0), micro(0.5), PASS, "improvement")

    def test_a_change_may_slow_the_interpreter_by_a_tenth(self):
        base = export(result(mean=100.0), result(variant="mem_seq64", mean=100.0))
        new = export(result(mean=91.0), result(variant="mem_seq64", mean=10.0))
        told = self.compare_results(base, new, PASS, "alu64", "pr-smoke")
        self.assertNotIn("mem_seq64", told)
        new["benchmarks"]["guest_cpu"]["results"][0]["mips_median"] = 89.0
        self.compare_results(base, new, REGRESSION, "11.0% worse", "pr-smoke")

    def test_compares_the_medians_of_several_results(self):
        base, new = self.folder / "base", self.folder / "new"
        for folder, means in (base, [100, 101, 10]), (new, [99, 100, 300]):
            folder.mkdir()
            for index, mean in enumerate(means):
                (folder / f"{index}.json").write_text(json.dumps(export(result(mean=float(mean)))))
        thresholds = json.loads((ROOT / "bench/thresholds.json").read_text())
        thresholds["profiles"]["nightly"]["extremeCvThreshold"] = 2
        path = self.write("thresholds.json", thresholds)
        self.compare(base, new, PASS, "+0.0%", "nightly", "--thresholds", path)
        self.compare(base, new, UNSTABLE, "unstable")

    def test_looks_at_medians_of_samples_not_at_means_that_the_host_disturbed(self):
        base, new = export(result(mean=100.0)), export(result(mean=60.0))
        new["benchmarks"]["guest_cpu"]["results"][0]["mips_median"] = 99.0
        self.compare_results(base, new, PASS, "-1.0%")
        both = [self.write(f"new{index}.json", new) for index in range(2)]
        self.compare(self.folder / "base.json", ",".join(map(str, both)), PASS, "-1.0%")

    def test_what_varies_too_much_says_nothing(self):
        self.compare_results(export(result(mean=100.0)), export(result(mean=10.0, stdev=6.0)), UNSTABLE, "varies by 60%")

    def test_a_regression_counts_more_than_an_unstable_metric(self):
        base = export(result(mean=100.0), result(mode="jit_opt"))
        new = export(result(mean=10.0, stdev=6.0), result(mode="jit_opt", mean=50.0))
        self.compare_results(base, new, REGRESSION, "unstable")

    def test_misses_what_is_gone(self):
        self.compare_results(export(result(), result(mode="jit_opt")), export(result()), REGRESSION,
                             "lost: is not in the new results")

    def test_compares_what_was_measured_anew(self):
        when = ["--commit", SHA, "--timestamp", "2026-01-01T00:00:00Z"]
        self.appended(self.write("a.json", export(result())), self.write("m.json", micro(1.0)), *when)
        self.compare("latest", self.folder / "m.json", PASS, "guest_cpu: not measured anew")
        self.write("m2.json", micro(1.0, name="something_else"))
        self.compare(self.folder / "a.json", self.folder / "m2.json", BAD_INPUT, "no metric in common")

    def test_takes_what_is_new(self):
        self.compare_results(export(result()), export(result(), result(mode="jit_opt")), PASS, "new")

    def test_what_is_informational_does_not_count(self):
        self.compare_results(micro(1.0, name="bus_read_port"), micro(9.0, name="bus_read_port"), PASS, "(regression)",
                             "pr-smoke")

    def test_some_values_have_a_limit(self):
        self.compare_results(micro(6.0), micro(6.0), REGRESSION, "is more than 5 ns")

    def test_writes_its_verdicts(self):
        path = self.folder / "verdicts.json"
        self.compare_results(export(result(mean=100.0)), export(result(mean=50.0)), REGRESSION, "", "nightly", "--json", path)
        found = json.loads(path.read_text())
        self.assertEqual((found["exitCode"], found["metrics"][0]["verdict"]), (1, "regression"))

    def test_reads_entries_of_the_history(self):
        for day, mean in (1, 100.0), (2, 99.0), (3, 50.0):
            self.appended(self.write("a.json", export(result(mean=mean))), "--commit", f"{day}234567",
                          "--timestamp", f"2026-01-0{day}T00:00:00Z")
        self.compare("latest~1", "latest", REGRESSION, "49.5% worse")
        self.compare("latest~2", "latest~1", PASS, "pass")
        self.compare("1234", "2026-01-03", REGRESSION, "50.0% worse")
        self.compare("latest~3", "latest", BAD_INPUT, "latest~3")
        self.compare("9999", "latest", BAD_INPUT, "neither a file of results nor an entry")
        listed = self.run_tool("list", "--history", self.history).stdout
        self.assertEqual(len(listed.splitlines()), 3)

    def test_refuses_bad_input(self):
        path = self.write("a.json", export(result()))
        self.compare(path, path, BAD_INPUT, "there is no profile 'weekly'; there are pr-smoke, nightly", "weekly")
        self.compare(path, self.folder / "none.json", BAD_INPUT, "No such file")
        self.compare(path, self.folder / "empty", BAD_INPUT, "No such file")
        self.compare(path, path, BAD_INPUT, "not a file of thresholds", "nightly", "--thresholds",
                     self.write("t.json", {"schemaVersion": 1}))
        self.compare_results(micro(1, name="x"), micro(1, name="x"), BAD_INPUT, "no metric in common", "nightly",
                             "--thresholds", self.write("t.json", {
                                 "schemaVersion": 1, "profiles": {"nightly": {
                                     "regressionPercent": 5, "extremeCvThreshold": 1, "metrics": {"guest_cpu/*": {}}}}}))
        self.assertEqual(self.run_tool("compare", path).returncode, BAD_INPUT)


class Schemas(unittest.TestCase):
    def test_are_schemas(self):
        for name in "bench-output", "history", "thresholds":
            jsonschema.Draft202012Validator.check_schema(schema(name).schema)

    def test_describe_what_is_kept_here(self):
        schema("thresholds").validate(json.loads((ROOT / "bench/thresholds.json").read_text()))
        schema("history").validate(json.loads((ROOT / "bench/history.json").read_text()))

    def test_describe_what_the_program_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "out.json"
            for how in ["--iters", "100", "--warmup", "0"], ["--seconds", "0.01"]:
                subprocess.run([PROGRAM, "bench", "cpu", *how, "--json", path], check=True, stdout=subprocess.DEVNULL)
                found = json.loads(path.read_text())
                schema("bench-output").validate(found)
                self.assertEqual(len(found["benchmarks"]["guest_cpu"]["results"]), 36)
            history = pathlib.Path(folder) / "history.json"
            subprocess.run([HISTORY, "append", path, "--history", history, "--commit", SHA], check=True,
                           stdout=subprocess.DEVNULL)
            kept = json.loads(history.read_text())
            schema("history").validate(kept)
            self.assertEqual(len(next(iter(kept["entries"].values()))["scenarios"]["guest_cpu"]["metrics"]), 36)

    def test_micro_benchmarks_can_be_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            path, history = pathlib.Path(folder) / "out.json", pathlib.Path(folder) / "history.json"
            subprocess.run([MICROBENCH, "--benchmark_min_time=0.0001", "--benchmark_filter=event_hub",
                            "--benchmark_format=json", f"--benchmark_out={path}"], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            subprocess.run([HISTORY, "append", path, "--history", history, "--commit", SHA], check=True,
                           stdout=subprocess.DEVNULL)
            metrics = next(iter(json.loads(history.read_text())["entries"].values()))["scenarios"]["micro"]["metrics"]
            self.assertIn("event_hub_publish_without_subscriber", metrics)

    def test_refuse_what_is_not_as_they_say(self):
        good = export(result())
        schema("bench-output").validate(good)
        for change in {"version": 2}, {"kind": "other"}, {"more": 1}:
            self.assertFalse(schema("bench-output").is_valid(good | change))
        bad = copy.deepcopy(good)
        bad["benchmarks"]["guest_cpu"]["results"][0]["mips_mean"] = None
        self.assertFalse(schema("bench-output").is_valid(bad))
        self.assertFalse(schema("history").is_valid({"schemaVersion": 2, "generatedAt": "", "entries": {}}))


if __name__ == "__main__":
    PROGRAM, MICROBENCH = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
