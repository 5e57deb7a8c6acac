"""Speed and memory beside the peers, measured in whole processes that take turns."""
