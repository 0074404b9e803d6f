"""File names: what is safe stays, what is not becomes safe, and no two are one file anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.container.names import TOKEN_PDF, collision_key, entry_names, fault_of

NAMES = st.lists(
    st.one_of(
        st.text(max_size=300),
        st.sampled_from(
            ["a.pdf", "A.PDF", "a (2).pdf", "..", "/", "\u00e9", "e\u0301", TOKEN_PDF, ""]
        ),
    ),
    max_size=12,
)


@given(NAMES)
def test_always_safe_and_unique(names: list[str]) -> None:
    made = entry_names(names)
    assert len(made) == len(names)
    assert len({collision_key(name) for name in made} | {collision_key(TOKEN_PDF)}) == (
        len(names) + 1
    )
    assert [fault_of(name) for name in made] == [""] * len(names)
    assert entry_names(names) == made


@given(NAMES)
def test_safe_names_stay_when_nothing_collides(names: list[str]) -> None:
    keys = {collision_key(TOKEN_PDF)}
    for name, made in zip(names, entry_names(names), strict=True):
        if not fault_of(name) and collision_key(name) not in keys:
            assert made == name
        keys.add(collision_key(made))


@pytest.mark.parametrize(
    ("names", "made"),
    [
        (["Ersuchen.xml", "звіт.pdf", "報告.pdf"], ["Ersuchen.xml", "звіт.pdf", "報告.pdf"]),
        (["a.pdf", "a.pdf", "A.pdf"], ["a.pdf", "a (2).pdf", "A (3).pdf"]),
        (["../../x.pdf", "..\\x", "C:x"], [".._.._x.pdf", ".._x", "C_x"]),
        (["", ".", ".."], ["document", "document (2)", "document (3)"]),
        (["trustoktoken.PDF"], ["trustoktoken (2).PDF"]),
        (["a\u202efdp.exe"], ["a_fdp.exe"]),
    ],
)
def test_examples(names: list[str], made: list[str]) -> None:
    assert entry_names(names) == tuple(made)
