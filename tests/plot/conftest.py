import matplotlib
import pytest

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def figures_are_closed():
    import matplotlib.pyplot as plt

    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
