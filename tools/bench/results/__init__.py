"""Results of benchmarks: read, kept, compared and drawn."""
