import pytest

from holonomy.cli.failures import FAILED, INTERRUPTED, REFUSED, explain, run_app


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("wrong"), (REFUSED, "wrong")),
        (TypeError("wrong"), (REFUSED, "wrong")),
        (FileNotFoundError(2, "No such file", "a.csv"), (REFUSED, "No such file: a.csv")),
        (FileNotFoundError("the mirror does not hold it"), (REFUSED, "the mirror does not hold it")),
        (ImportError("install it"), (FAILED, "install it")),
        (ConnectionError("no network"), (FAILED, "no network")),
        (ValueError(), (REFUSED, "ValueError")),
    ],
)
def test_exit_codes_and_messages(error, expected):
    assert explain(error) == expected


def test_ctrl_c_before_any_command(capsys):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as raised:
        run_app(interrupted)
    assert raised.value.code == INTERRUPTED
    assert capsys.readouterr().err == "holonomy: stopped.\n"
