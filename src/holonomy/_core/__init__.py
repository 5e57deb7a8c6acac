"""What every room stands on: validation, random state, devices, progress, training, citations."""
