"""The benchmarks' own arithmetic; what they measure is not tested."""
