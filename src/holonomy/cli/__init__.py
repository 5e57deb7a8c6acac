"""The command line: ``holonomy map``, ``profile``, ``methods`` and ``datasets``."""
