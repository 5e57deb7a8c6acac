"""The reader of WordNet's own files, on a hierarchy small enough to see through."""

from holonomy.datasets._wordnet import parse_nouns

# Synset, words with lex_id, pointers: `@` kind of, `@i` instance of, `~` the way back, which is no edge.
DATA = """  1 This software and database is being provided to you
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | that which is
00000002 05 n 02 Dog 0 domestic_dog 0 002 @ 00000001 n 0000 ~ 00000003 n 0000 | barks | loudly
00000003 05 n 01 puppy 0 001 @ 00000002 n 0000 | young
00000004 18 n 01 dog 1 002 @ 00000001 n 0000 + 00000099 v 0101 | a dull person
00000005 18 n 01 Laika 0 002 @i 00000002 n 0000 @ 00000004 n 0000 | flew
"""
INDEX = """  1 This software and database is being provided to you
dog n 2 3 @ ~ #m 2 1 00000002 00000004
domestic_dog n 1 1 @ 1 0 00000002
entity n 1 1 ~ 1 1 00000001
laika n 1 1 @i 1 0 00000005
puppy n 1 1 @ 1 0 00000003
"""


def test_nouns():
    names, adjacency = parse_nouns(DATA, INDEX)
    assert names.tolist() == ["entity.n.01", "dog.n.01", "puppy.n.01", "dog.n.02", "laika.n.01"]
    edges = {(str(names[row]), str(names[column])) for row, column in zip(*adjacency.nonzero(), strict=True)}
    assert edges == {
        ("dog.n.01", "entity.n.01"),
        ("puppy.n.01", "dog.n.01"),
        ("dog.n.02", "entity.n.01"),
        ("laika.n.01", "dog.n.01"),
        ("laika.n.01", "dog.n.02"),
    }
