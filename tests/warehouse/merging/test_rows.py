"""What rows are named by stays what it was: databases of other versions have the same names."""

from __future__ import annotations

from hashlib import sha256

from warehouse.merging.rows import model_id


def test_a_models_id_is_twelve_digits_of_its_name_and_weights() -> None:
    assert model_id("org/Tiny", "w1") == sha256(b"org/Tiny\0w1").hexdigest()[:12] == "a62c9592eca1"
    assert model_id("org/Tiny", None) == sha256(b"org/Tiny\0").hexdigest()[:12]
