#!/usr/bin/env python3
"""tools/bench/nightly, as short as can be: what it measures is kept, compared and drawn."""

import json
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"


class Nightly(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_tool(self, *arguments):
        return subprocess.run([ROOT / "tools/bench/nightly", "--no-build", "-o", self.folder / "out",
                               "--history", self.folder / "history.json", "--commit", SHA, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_keeps_compares_and_draws(self):
        short = ["--runs", "2", "--seconds", "0.001", "--suites", "micro"]
        first = self.run_tool(*short)
        self.assertEqual(first.returncode, 0, first.stdout)
        self.assertIn("nothing to compare with", first.stdout)
        history = json.loads((self.folder / "history.json").read_text())
        entry = next(iter(history["entries"].values()))
        metric = entry["scenarios"]["micro"]["metrics"]["event_hub_publish_without_subscriber"]
        self.assertEqual(metric["samples"]["n"], 2)
        self.assertIn("event_hub_publish_without_subscriber", (self.folder / "out/index.html").read_text())
        # Another time of day, as a second night would be.
        history["entries"] = {f"2026-01-01T00:00:00Z-{SHA}": entry | {"id": f"2026-01-01T00:00:00Z-{SHA}",
                                                                      "timestamp": "2026-01-01T00:00:00Z"}}
        (self.folder / "history.json").write_text(json.dumps(history))
        second = self.run_tool(*short)
        self.assertIn(second.returncode, (0, 1, 2), second.stdout)  # so short, it may well differ
        verdicts = json.loads((self.folder / "out/verdicts.json").read_text())
        self.assertEqual(verdicts["exitCode"], second.returncode)
        self.assertEqual(len(json.loads((self.folder / "history.json").read_text())["entries"]), 2)

    def test_ends_with_a_suite_that_fails(self):
        run = self.run_tool("--suites", "cpu", "--seconds", "-1")
        self.assertEqual(run.returncode, 4, run.stdout)
        self.assertIn("cpu ended with code 2; its output is in", run.stdout)
        self.assertFalse((self.folder / "history.json").exists())

    def test_refuses_bad_arguments(self):
        for arguments in ["--suites", "gpu"], ["--runs", "0"], ["--runs", "x"]:
            self.assertEqual(self.run_tool(*arguments).returncode, 3)

    def test_leaves_a_history_that_it_does_not_know_alone(self):
        (self.folder / "history.json").write_text('{"schemaVersion": 7}')
        run = self.run_tool("--runs", "1", "--seconds", "0.001", "--suites", "micro")
        self.assertEqual(run.returncode, 3, run.stdout)
        self.assertEqual((self.folder / "history.json").read_text(), '{"schemaVersion": 7}')


if __name__ == "__main__":
    unittest.main()
