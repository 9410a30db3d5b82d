"""Which rule is in use once the one that was is gone."""

from __future__ import annotations

from warehouse.read import rules
from warehouse.read.rules import Rule
from warehouse.store import db


def test_deleting_the_rule_in_use_chooses_the_one_that_follows(database, ask) -> None:
    """Else one saved under the same name later would be in use unasked."""
    with db.open_write(database):
        pass
    rules.save_rule(database, Rule("mine", "", "score", "share", {"piqa": 1}))
    rules.use_rule(database, "mine")
    rules.delete_rule(database, "mine")
    assert ask("select rule from rule_choices order by number")[-2:] == [("mine",), ("keeps-most",)]
    assert [rule.name for rule in rules.read_rules(database) if rule.in_use] == ["keeps-most"]
