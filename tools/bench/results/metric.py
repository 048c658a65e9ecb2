"""One figure that a benchmark gives, measured once or several times."""

import dataclasses
import math
import statistics


@dataclasses.dataclass
class Metric:
    """`values` are results of their own, each perhaps of many samples; `samples` describes those of a single result:
    n, min, max, stdev (of a sample, n - 1) and cv."""

    unit: str
    better: str  # "higher" or "lower"
    values: list
    samples: dict | None = None
    medians: list | None = None  # of each result's samples, where they are known

    @property
    def value(self):
        return statistics.fmean(self.values)

    @property
    def median(self):
        """A few samples that the host disturbed move a result's mean, and hardly its median."""
        return statistics.median(self.medians or self.values)

    def spread(self):
        """How far the samples lie apart; with several results these are the samples."""
        if len(self.values) == 1 and self.samples:
            return self.samples
        stdev = statistics.stdev(self.values) if len(self.values) > 1 else None
        return {"n": len(self.values), "min": min(self.values), "max": max(self.values), "stdev": stdev,
                "cv": relative(stdev, self.value)}

    def json(self):
        """As the history keeps it."""
        return {"value": self.value, "unit": self.unit, "better": self.better, "samples": self.spread()}

    @staticmethod
    def of_history(kept):
        return Metric(kept["unit"], kept["better"], [kept["value"]], kept["samples"])

    def with_results_of(self, other):
        if (self.unit, self.better) != (other.unit, other.better):
            raise ValueError(f"is in {self.unit} and in {other.unit}")
        medians = self.medians + other.medians if self.medians and other.medians else None
        return Metric(self.unit, self.better, self.values + other.values, None, medians)


def relative(deviation, mean):
    """The coefficient of variation; none where there is no deviation, or the mean is 0."""
    if deviation is None or mean == 0 or not math.isfinite(deviation):
        return None
    return deviation / abs(mean)


def change(before, after):
    """By which part of what it was a value has grown; none from 0."""
    return (after - before) / abs(before) if before else None


def worsening(better, before, after):
    """By which part the value is worse than it was; negative where it is better."""
    grown = change(before, after)
    return None if grown is None else -grown if better == "higher" else grown
