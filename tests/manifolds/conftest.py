import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the generic suite once for every space that a test class lists in ``spaces``."""
    if "space" in metafunc.fixturenames and hasattr(metafunc.cls, "spaces"):
        metafunc.parametrize("space", metafunc.cls.spaces, ids=[str(space) for space in metafunc.cls.spaces])
