from __future__ import annotations

from collections.abc import Iterator

import at_rest
import parsed_styles
import pytest


@pytest.fixture(scope="session", autouse=True)
def _parsed_styles() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        parsed_styles.keep(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _waits_by_messages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        at_rest.wait_by_messages(patch)
        yield
