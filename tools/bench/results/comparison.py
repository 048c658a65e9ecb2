"""Whether results are worse than others, by the thresholds of a profile."""

import dataclasses
import fnmatch

from .metric import change, worsening
from .result_file import BadInput, read_json


@dataclasses.dataclass
class Threshold:
    regression_percent: float
    extreme_cv: float
    informational: bool = False
    max_value: float | None = None


class Profile:
    """The first pattern that a metric's name "scenario/name" matches says what it may do; others are not compared."""

    def __init__(self, settings):
        self.patterns = {}
        for pattern, own in settings["metrics"].items():
            get = (settings | own).get
            self.patterns[pattern] = Threshold(float(get("regressionPercent")), float(get("extremeCvThreshold")),
                                               bool(get("informational", False)), get("maxValue"))

    @staticmethod
    def load(path, name):
        found = read_json(path)
        try:
            if found["schemaVersion"] != 1:
                raise BadInput(f"{path}: schemaVersion {found['schemaVersion']} is not known; 1 was expected")
            profiles = found["profiles"]
            if name not in profiles:
                raise BadInput(f"{path}: there is no profile '{name}'; there are {', '.join(profiles)}")
            return Profile(profiles[name])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"{path}: not a file of thresholds: {error!r}") from error

    def threshold_for(self, name):
        return next((each for pattern, each in self.patterns.items() if fnmatch.fnmatchcase(name, pattern)), None)


@dataclasses.dataclass
class Verdict:
    name: str
    verdict: str  # ok, improvement, regression, unstable, lost, new
    informational: bool
    unit: str
    base: float | None
    new: float | None
    change: float | None
    limit: float
    why: str = ""

    def counts(self):
        return not self.informational


def extreme(metrics, threshold):
    """The largest coefficient of variation where it is too large to say anything."""
    cvs = [metric.spread()["cv"] for metric in metrics]
    return max((cv for cv in cvs if cv is not None and cv > threshold.extreme_cv), default=None)


def judge(name, base, new, threshold):
    limit = threshold.regression_percent / 100

    def verdict(what, why=""):
        before, after = base and base.median, new and new.median
        grown = change(before, after) if base and new else None
        return Verdict(name, what, threshold.informational, (new or base).unit, before, after, grown, limit, why)

    if new is None:
        return verdict("lost", "is not in the new results")
    if (cv := extreme([metric for metric in (base, new) if metric], threshold)) is not None:
        return verdict("unstable", f"varies by {cv:.0%}, more than {threshold.extreme_cv:.0%}")
    if threshold.max_value is not None and new.median > threshold.max_value:
        return verdict("regression", f"is more than {threshold.max_value:g} {new.unit}")
    if base is None:
        return verdict("new")
    if (base.unit, base.better) != (new.unit, new.better):
        raise BadInput(f"{name}: is in {base.unit}, {base.better} is better, and in {new.unit}, {new.better} is better")
    worse = worsening(base.better, base.median, new.median)
    if worse is None:
        return verdict("new", "was 0")
    if worse > limit:
        return verdict("regression", f"is {worse:.1%} worse, more than {limit:.1%}")
    return verdict("improvement" if worse < -limit else "ok")


def compare(base, new, profile):
    """A verdict for each metric that the profile names, of the scenarios that were measured anew."""
    verdicts = []
    for scenario, after in new.scenarios.items():
        before = base.scenarios.get(scenario, {})
        for each in dict.fromkeys([*before, *after]):
            name = f"{scenario}/{each}"
            if threshold := profile.threshold_for(name):
                verdicts.append(judge(name, before.get(each), after.get(each), threshold))
    if all(each.verdict == "new" for each in verdicts):
        raise BadInput("the two have no metric in common that the profile compares")
    return verdicts


PASS, REGRESSION, UNSTABLE = 0, 1, 2


def exit_code(verdicts):
    found = {each.verdict for each in verdicts if each.counts()}
    if found & {"regression", "lost"}:
        return REGRESSION
    return UNSTABLE if "unstable" in found else PASS
