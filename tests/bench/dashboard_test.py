#!/usr/bin/env python3
"""What tools/bench/dashboard draws, without a browser: the page is parsed, and what it shows is compared with the
history."""

import html.parser
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/bench"))
sys.dont_write_bytecode = True

from results.line_chart import Chart, text, ticks  # noqa: E402

URL = "https://example.org/commit/"


def metric(value, better="higher", cv=0.01):
    return {"value": value, "unit": "MIPS" if better == "higher" else "ns", "better": better,
            "samples": {"n": 5, "min": value, "max": value, "stdev": value * cv, "cv": cv}}


def history(*days, scenario="guest_cpu"):
    """An entry for each map of metrics."""
    entries = {}
    for day, metrics in enumerate(days, 1):
        when, sha = f"2026-01-{day:02}T03:00:00Z", f"{day:040x}"
        entries[f"{when}-{sha}"] = {"id": f"{when}-{sha}", "timestamp": when, "commit": {"sha": sha, "url": URL + sha},
                                    "environment": {"cpu": "a processor"}, "scenarios": {scenario: {"metrics": metrics}}}
    return {"schemaVersion": 1, "generatedAt": "2026-01-01T00:00:00Z", "entries": entries}


class Page(html.parser.HTMLParser):
    """What is on it: each figure with its classes, links and drawing."""

    VOID = {"meta", "link", "br", "hr", "img"}

    def __init__(self, page):
        super().__init__()
        self.figures, self.stack, self.tags, self.links, self.words = {}, [], [], [], []
        self.figure = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in self.VOID:
            self.stack.append(tag)
        if tag == "figure":
            self.figure = self.figures[attributes["id"]] = {"links": [], "classes": [], "words": []}
        if tag == "a":
            self.links.append(attributes["href"])
        if self.figure is not None:
            self.figure["classes"] += attributes.get("class", "").split()
            if tag == "a":
                self.figure["links"].append(attributes["href"])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if self.stack.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")
        if tag == "figure":
            self.figure = None

    def handle_data(self, data):
        self.words.append(data)
        if self.figure is not None:
            self.figure["words"].append(data)


class DashboardTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def draw(self, content, *arguments, code=0):
        path = self.folder / "history.json"
        path.write_text(json.dumps(content))
        run = subprocess.run([ROOT / "tools/bench/dashboard", path, "-o", self.folder / "out", *arguments],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(run.returncode, code, run.stdout)
        return (self.folder / "out/index.html").read_text() if code == 0 else run.stdout

    def page(self, content, *arguments):
        page = Page(self.draw(content, *arguments))
        self.assertEqual(page.stack, [])
        return page

    def test_has_a_chart_for_each_metric_with_a_point_for_each_entry(self):
        page = self.page(history({"a": metric(100), "b": metric(5, "lower")}, {"a": metric(110), "b": metric(5, "lower")},
                                 {"a": metric(120)}))
        self.assertEqual(set(page.figures), {"guest_cpu-a", "guest_cpu-b"})
        self.assertEqual(page.figures["guest_cpu-a"]["links"], [URL + f"{day:040x}" for day in (1, 2, 3)])
        self.assertEqual(page.figures["guest_cpu-a"]["classes"].count("dot"), 3)
        self.assertEqual(page.figures["guest_cpu-b"]["classes"].count("dot"), 2)
        self.assertIn("CV 1.0 % of 5", page.figures["guest_cpu-a"]["words"])
        self.assertIn("120 MIPS", page.figures["guest_cpu-a"]["words"])

    def test_judges_a_change_by_what_is_better(self):
        page = self.page(history({"up": metric(100), "down": metric(100), "more": metric(10, "lower"),
                                  "less": metric(10, "lower"), "same": metric(100)},
                                 {"up": metric(120), "down": metric(80), "more": metric(12, "lower"),
                                  "less": metric(8, "lower"), "same": metric(102)}))
        for name, verdict, shown in ("up", "improvement", "+20.0 %"), ("down", "regression", "-20.0 %"), \
                ("more", "regression", "+20.0 %"), ("less", "improvement", "-20.0 %"), ("same", "neutral", "+2.0 %"):
            figure = page.figures[f"guest_cpu-{name}"]
            self.assertIn(verdict, figure["classes"], name)
            self.assertIn(shown, figure["words"], name)
        strict = self.page(history({"same": metric(100)}, {"same": metric(102)}), "--neutral", "1")
        self.assertIn("improvement", strict.figures["guest_cpu-same"]["classes"])

    def test_lists_the_largest_changes_first(self):
        before = {f"m{index}": metric(100) for index in range(30)}
        after = {f"m{index}": metric(100 + (index - 15) * 2) for index in range(30)}
        page = self.page(history(before, after))
        leads = [each for each in page.links if each.startswith("#")]
        self.assertEqual(leads[:10], [f"#guest_cpu-m{index}" for index in range(10)])
        self.assertEqual(leads[10:], [f"#guest_cpu-m{index}" for index in range(29, 19, -1)])
        self.assertIn("and 4 more", page.words)
        for each in leads:
            self.assertIn(each[1:], page.figures)

    def test_compares_with_the_entry_before_that_has_the_metric(self):
        page = self.page(history({"a": metric(100)}, {"b": metric(1)}, {"a": metric(200), "b": metric(1)}))
        self.assertIn("+100.0 %", page.figures["guest_cpu-a"]["words"])

    def test_has_entries_in_the_order_of_their_times(self):
        content = history({"a": metric(1)}, {"a": metric(2)}, {"a": metric(3)})
        content["entries"] = dict(reversed(content["entries"].items()))
        self.assertEqual(self.page(content).figures["guest_cpu-a"]["links"], [URL + f"{day:040x}" for day in (1, 2, 3)])

    def test_draws_a_first_entry_zeros_and_no_deviation(self):
        alone = metric(0)
        alone["samples"] |= {"n": 1, "stdev": None, "cv": None}
        page = self.page(history({"zero": alone, "some": metric(3)}, {"zero": alone, "new": metric(1)}))
        self.assertIn("first", page.figures["guest_cpu-some"]["words"])
        self.assertIn("first", page.figures["guest_cpu-zero"]["words"])
        self.assertIn("CV - of 1", page.figures["guest_cpu-zero"]["words"])

    def test_says_that_there_is_nothing(self):
        self.assertIn("no results yet", self.draw(history()))

    def test_needs_nothing_else(self):
        page = self.page(history({"a": metric(100)}, {"a": metric(120)}))
        self.assertNotIn("script", {tag for tag, _ in page.tags})
        self.assertNotIn("img", {tag for tag, _ in page.tags})
        for tag, attributes in page.tags:
            self.assertNotIn("src", attributes)
            if tag == "link":
                self.assertTrue(attributes["href"].startswith("data:"))

    def test_shows_names_as_text(self):
        content = history({"<script>alert(1)</script>\"'": metric(100)}, scenario="<b>")
        entry = next(iter(content["entries"].values()))
        entry["commit"]["url"] = "javascript:alert(1)"
        entry["environment"] = {"<i>": "<img src=x onerror=alert(1)>"}
        page = self.page(content)
        self.assertFalse({"script", "b", "i", "img"} & {tag for tag, _ in page.tags})
        self.assertFalse([each for each in page.links if each.startswith("javascript")])
        self.assertIn("<script>alert(1)</script>\"'", page.words)

    def test_refuses_what_is_no_history(self):
        self.assertIn("schemaVersion 9", self.draw({"schemaVersion": 9}, code=3))
        run = subprocess.run([ROOT / "tools/bench/dashboard", self.folder / "none", "-o", self.folder],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(run.returncode, 3)
        self.assertIn("No such file or directory", run.stdout)


class ChartTest(unittest.TestCase):
    def test_places_points_by_their_values(self):
        chart = Chart([(10.0, 1.0, "", None), (30.0, None, "", None), (20.0, 2.0, "", None)])
        self.assertLess(chart.y(30), chart.y(20))
        self.assertAlmostEqual(chart.y(20), (chart.y(10) + chart.y(30)) / 2)
        self.assertAlmostEqual(chart.x(1), (chart.x(0) + chart.x(2)) / 2)

    def test_shows_noise_as_noise(self):
        chart = Chart([(100.0, None, "", None), (100.1, None, "", None)])
        self.assertLess(abs(chart.y(100.0) - chart.y(100.1)), 2)

    def test_is_well_formed_for_any_values(self):
        for values in [0.0], [0.0, 0.0], [-5.0, 5.0], [1e-9, 2e-9], [1e12, 3e12], [7.0] * 200:
            svg = Chart([(value, abs(value), "a & b <c>", "https://x/?a&b") for value in values]).svg("t", "f", "l")
            root = xml.etree.ElementTree.fromstring(svg)
            self.assertEqual(len(root.findall(".//circle")), len(values))
            for circle in root.findall(".//circle"):
                self.assertTrue(0 <= float(circle.get("cy")) <= 130, values)

    def test_marks_round_numbers(self):
        random.seed(1)
        some = [(low, low + 10 ** random.uniform(-9, 9)) for low in (random.uniform(-100, 1000) for _ in range(500))]
        for low, high in [(0, 1), (0, 99), (95, 105), (0.0012, 0.0019), (1e6, 9e6), (-3, 8), (20, 836), *some]:
            marks = ticks(low, high)
            self.assertTrue(2 <= len(marks) <= 5, (low, high, marks))
            self.assertTrue(all(low - 1e-6 <= mark <= high + 1e-6 for mark in marks), marks)

    def test_writes_three_digits(self):
        self.assertEqual([text(value) for value in (0, 1.2345, 12.345, 123.45, 1234.5, 0.012345, -3.14159)],
                         ["0", "1.23", "12.3", "123", "1,234", "0.0123", "-3.14"])


if __name__ == "__main__":
    unittest.main()
