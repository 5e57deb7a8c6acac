"""One file of experiments for each published system: its claim, measured beside the baseline that the claim names."""
