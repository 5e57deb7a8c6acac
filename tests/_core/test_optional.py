import sys

import pytest

from holonomy._core.optional import import_optional


def test_a_module_that_is_there_is_imported():
    assert import_optional("json.decoder", extra="bio", purpose="read") is sys.modules["json.decoder"]


@pytest.mark.parametrize("module", ["a_package_that_is_missing", "a_package_that_is_missing.inner"])
def test_a_missing_package_is_named_with_purpose_and_remedy(module):
    with pytest.raises(ImportError) as caught:
        import_optional(module, extra="bio", purpose="read .h5ad files")
    assert str(caught.value) == (
        "The package 'a_package_that_is_missing' is needed to read .h5ad files. "
        "Install it with: pip install 'holonomy[bio]'"
    )


def test_a_package_that_misses_another_one_says_so_itself(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import what_it_needs_itself")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs_itself"):
        import_optional("broken_package", extra="bio", purpose="read")
