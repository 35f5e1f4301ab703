"""What is a transfer worth? With a truth and without, beside all baselines, in one run."""
