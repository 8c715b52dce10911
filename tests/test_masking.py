"""Is every spelling of a password masked, and no ordinary word?"""

from __future__ import annotations

import pytest

from audit_action.masking import masks_for


@pytest.mark.parametrize(
    ("connection", "passwords"),
    [
        ("postgresql://ci:hunter22@db:5432/shop", {"hunter22"}),
        ("postgres://ci:hunter22@db/shop?sslmode=require", {"hunter22"}),
        ("postgresql://ci:h%40nter%2F22@db/shop", {"h%40nter%2F22", "h@nter/22"}),
        ("postgresql://ci:h@nter22@db/shop", {"h@nter22", "h%40nter22"}),
        ("postgresql://ci:l+ng one@db/shop", {"l+ng one", "l%2Bng%20one"}),
        ("postgresql://ci@db/shop?password=hunter22", {"hunter22"}),
        ("postgresql://ci:hunter22@db/shop?sslpassword=keyword77", {"hunter22", "keyword77"}),
        ("postgresql://ci:hunter22@[::1]:5432,db2:5433/shop", {"hunter22"}),
        ("postgresql://ci:naïve-nom@db/shop", {"naïve-nom", "na%C3%AFve-nom"}),
        ("jdbc:postgresql://db:5432/shop?user=ci&password=hunter22", {"hunter22"}),
        ("host=db user=ci password=hunter22 dbname=shop", {"hunter22"}),
        ("postgresql://ci:h/unt?er#22@db/shop", {"h/unt?er#22", "h%2Funt%3Fer%2322"}),
        (r"host=db password='h\'unt \\er' dbname=shop", {r"h'unt \er", "h%27unt%20%5Cer"}),
        ("host=db user=ci", set()),
        ("postgresql://ci@db/shop", set()),
        ("postgresql:///shop", set()),
        ("", set()),
    ],
)
def test_passwords_in_every_spelling(connection: str, passwords: set[str]) -> None:
    masks = masks_for(connection)
    assert set(masks.values) == (passwords | {connection} if passwords else set())
    assert list(masks.values) == sorted(masks.values, key=len, reverse=True)


@pytest.mark.parametrize(
    "connection",
    [
        "postgresql://postgres:postgres@localhost/postgres",
        "postgresql://shop:Shop@db/shop",
        "postgresql://ci:warehouse@db/warehouse",
        "postgresql://ci:eu-west@eu-west.db.example.com/shop",
        "postgresql://ci:a@db/shop",
        "postgresql://ci:password@db/shop",
        "jdbc:postgresql://db/shop?user=postgres&password=postgres",
        "host=db user=ci password=secret",
    ],
)
def test_a_common_password_stays_and_is_counted(connection: str) -> None:
    masks = masks_for(connection)
    assert masks.values == (connection,)
    assert masks.too_common == 1


def test_many_at_once() -> None:
    masks = masks_for(
        "postgresql://ci:hunter22@db/shop",
        "postgresql://rec:postgres@db/shop",
        passwords=("another-one", "", "test"),
    )
    assert set(masks.values) == {
        "postgresql://ci:hunter22@db/shop",
        "postgresql://rec:postgres@db/shop",
        "hunter22",
        "another-one",
    }
    assert masks.too_common == 2


def test_what_cannot_be_read_is_hidden_whole() -> None:
    assert "postgresql://ci:hunter22@[db/shop" in masks_for("postgresql://ci:hunter22@[db/shop").values
