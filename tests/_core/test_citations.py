import re

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from holonomy._core.citations import bib_entries, citation, read_bib, reference_keys, references


class Base:
    _references = ("coifman2006diffusion",)


class Method(Base):
    _references = ("mcinnes2018umap", "facco2017estimating")

    def fit(self, X, y=None):
        self.start_ = "laplacian"
        return self

    def transform(self, X):
        return X

    def _used_references(self):
        return ("tenenbaum2000global",) if hasattr(self, "start_") else ()


class Unknown:
    pass


@references("zelnik2004self", "roy2007effective")
def marked():
    return 3


def test_a_class_names_its_own_papers_before_those_of_its_bases():
    assert reference_keys(Method) == ("mcinnes2018umap", "facco2017estimating", "coifman2006diffusion")


def test_an_instance_adds_what_its_fit_used():
    assert reference_keys(Method()) == reference_keys(Method)
    assert reference_keys(Method().fit(None)) == (*reference_keys(Method), "tenenbaum2000global")


def test_a_function_keeps_its_value_and_names_its_papers():
    assert marked() == 3
    assert reference_keys(marked) == ("zelnik2004self", "roy2007effective")


def test_a_pipeline_is_the_union_of_its_steps():
    pipeline = make_pipeline(StandardScaler(), "passthrough", Base(), Method().fit(None))
    assert reference_keys(pipeline) == (
        "coifman2006diffusion",
        "mcinnes2018umap",
        "facco2017estimating",
        "tenenbaum2000global",
    )


def test_the_text_is_the_entries_of_the_file_separated_by_blank_lines():
    assert citation(marked) == bib_entries()["zelnik2004self"] + "\n\n" + bib_entries()["roy2007effective"]
    assert read_bib(citation(Method)).keys() == set(reference_keys(Method))


@pytest.mark.parametrize("obj", [Unknown, Unknown(), 3, None, print, make_pipeline(StandardScaler())])
def test_an_object_without_references_is_refused_by_name(obj):
    name = getattr(obj, "__name__", type(obj).__name__)
    with pytest.raises(TypeError, match=re.escape(repr(name))):
        citation(obj)


@pytest.mark.parametrize("key", bib_entries())
def test_every_entry_has_what_a_citation_needs(key):
    entry = bib_entries()[key]
    for field in ("title", "author", "year"):
        assert re.search(rf"^\s*{field} = \{{.+\}},?$", entry, re.MULTILINE), f"{key} has no {field}"
    assert re.fullmatch(r"[a-z]+\d{4}[a-z]*", key), f"{key} is not author, year and a word"


def test_nothing_in_the_file_escapes_the_parser():
    from importlib import resources

    text = resources.files("holonomy._core").joinpath("references.bib").read_text(encoding="utf-8")
    assert len(bib_entries()) == len(re.findall(r"^@", text, re.MULTILINE))


def test_nested_braces_and_comments_are_kept_apart():
    text = "a comment\n@misc{one, title = {A {B} {\\'e}}}\nanother\n@book{two,\n title = {C}\n}\n"
    assert read_bib(text) == {"one": "@misc{one, title = {A {B} {\\'e}}}", "two": "@book{two,\n title = {C}\n}"}


def test_unbalanced_braces_and_repeated_keys_are_refused():
    with pytest.raises(ValueError, match="'one' do not balance"):
        read_bib("@misc{one, title = {A}")
    with pytest.raises(ValueError, match="'one' comes twice"):
        read_bib("@misc{one, title = {A}}\n@misc{one, title = {B}}")
