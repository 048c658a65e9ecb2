"""bench/history.json: results by commit, as bench/schema/history.schema.json says."""

import datetime
import json
import os
import pathlib
import tempfile

from .metric import Metric
from .result_file import BadInput, Results, read_json

SCHEMA_VERSION = 1


def timestamp(seconds=None):
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc) if seconds else \
        datetime.datetime.now(datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class History:
    def __init__(self, entries=None):
        self.entries = entries or {}

    @staticmethod
    def load(path):
        """What there is; nothing when the file is still to be made."""
        if not pathlib.Path(path).exists():
            return History()
        found = read_json(path)
        version = found.get("schemaVersion") if isinstance(found, dict) else None
        if version != SCHEMA_VERSION:
            raise BadInput(f"{path}: schemaVersion {version} is not known; {SCHEMA_VERSION} was expected")
        entries = found.get("entries")
        if not isinstance(entries, dict):
            raise BadInput(f"{path}: entries: a map was expected")
        for name, entry in entries.items():
            History.check(path, name, entry)
        return History(entries)

    @staticmethod
    def check(path, name, entry):
        try:
            if entry["id"] != name:
                raise BadInput(f"{path}: the entry {name} calls itself {entry['id']}")
            datetime.datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00"))
            entry["commit"]["sha"], entry["commit"]["url"]
            for scenario in entry["scenarios"].values():
                for metric in scenario["metrics"].values():
                    Metric.of_history(metric).spread()["cv"]
                    if metric["better"] not in ("higher", "lower"):
                        raise BadInput(f"{path}: {name}: better: higher or lower was expected")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"{path}: the entry {name} is damaged: {error!r}") from error

    def append(self, results, when, sha, url):
        """Adds the results as an entry, or to the one of the same commit and second."""
        name = f"{when}-{sha}"
        entry = self.entries.setdefault(name, {"id": name, "timestamp": when, "commit": {"sha": sha, "url": url},
                                               "environment": {}, "scenarios": {}})
        if twice := entry["scenarios"].keys() & results.scenarios.keys():
            raise BadInput(f"the entry {name} has {', '.join(sorted(twice))} already")
        entry["environment"] |= results.environment
        for scenario, metrics in results.scenarios.items():
            entry["scenarios"][scenario] = {"metrics": {each: metric.json() for each, metric in metrics.items()}}
        return name

    def in_order(self):
        """The entries, the oldest first."""
        return sorted(self.entries.values(), key=lambda entry: (entry["timestamp"], entry["id"]))

    def find(self, wanted):
        """An entry's results: latest, latest~N for the N-th before it, or the start of an id or of a commit."""
        entries = self.in_order()
        base, _, back = wanted.partition("~")
        if base == "latest" and (back.isdecimal() or not back):
            place = int(back or 0)
            found = entries[-1 - place:][:1] if place < len(entries) else []
        else:
            found = [entry for entry in entries
                     if entry["id"].startswith(wanted) or entry["commit"]["sha"].startswith(wanted)][-1:]
        if not found:
            raise BadInput(f"'{wanted}' is neither a file of results nor an entry of the history: latest, latest~1, or the "
                           "start of an id or of a commit was expected")
        return Results({scenario: {name: Metric.of_history(metric) for name, metric in kept["metrics"].items()}
                        for scenario, kept in found[0]["scenarios"].items()}, found[0]["environment"])

    def save(self, path):
        """As a whole or not at all, whatever happens meanwhile."""
        path = pathlib.Path(path).resolve()  # a link stays one
        text = json.dumps({"schemaVersion": SCHEMA_VERSION, "generatedAt": timestamp(),
                           "entries": {entry["id"]: entry for entry in self.in_order()}}, indent=1, allow_nan=False)
        temporary = None
        try:
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
                temporary = file.name
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
            os.replace(temporary, path)
        except OSError as error:
            if temporary:
                pathlib.Path(temporary).unlink(missing_ok=True)
            raise BadInput(f"{path}: {error.strerror}") from error
