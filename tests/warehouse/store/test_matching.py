"""Records are alike where their known columns agree, and only where there is one way to say so."""

import random

from warehouse.store.matching import group


def groups(*records):
    """By record, the number of its group in order of appearance; a minus where it could have joined several."""
    found = group(records)
    numbers = {id(one): number for number, one in enumerate({id(one): one for one in found}.values())}
    return [-numbers[id(one)] if one.fits else numbers[id(one)] for one in found]


def test_equal_records_are_alike():
    assert groups(("a", 1), ("b", 1), ("a", 1)) == [0, 1, 0]


def test_an_unknown_column_fits_any_value():
    assert groups((None, 1), ("a", 1)) == [0, 0]


def test_what_is_known_of_each_other_adds_up():
    first, second, third = group([("a", None), (None, 1), ("a", 1)])
    assert first is second is third
    assert first.columns == ("a", 1)


def test_a_record_that_fits_two_groups_joins_none():
    assert groups(("a", 1), ("b", 1), (None, 1)) == [0, 1, -2]


def test_it_counts_how_many_it_fits_and_does_not_bring_them_together():
    *_, unknown = group([("a", 1), ("b", 1), ("c", 2), (None, 1), (None, None)])
    assert unknown.fits == 3


def test_the_order_of_the_records_decides_nothing():
    records = [(None, 1), ("a", 1), ("b", 2), (None, None), ("a", None)]
    forwards = dict(zip(records, group(records), strict=True))
    backwards = dict(zip(records[::-1], group(records[::-1]), strict=True))
    assert {record: (one.columns, one.fits) for record, one in forwards.items()} == {
        record: (one.columns, one.fits) for record, one in backwards.items()
    }


def test_two_that_fit_one_group_and_not_each_other_both_stand_beside_it():
    assert groups(("a", 1, None), (None, None, "x"), (None, None, "y")) == [0, 1, 2]
    assert groups(("a", 1, None), (None, None, "x"), (None, None, "x")) == [0, 0, 0]


def test_one_between_two_that_know_as_much_joins_neither():
    assert groups(("a", None, "x"), ("a", 1, None), ("a", None, "y")) == [0, -1, 2]


def test_whatever_the_order_the_groups_are_the_same():
    draw = random.Random(1)
    for _ in range(300):
        records = [tuple(draw.choice([None, None, 1, 2]) for _ in range(3)) for _ in range(5)]
        shuffled = draw.sample(records, len(records))
        told = [
            {frozenset(one for one in order if found[one] is each) for each in found.values()}
            for order in (records, shuffled)
            if (found := dict(zip(order, group(order), strict=True)))
        ]
        assert told[0] == told[1], records


def test_no_group_has_two_that_differ():
    draw = random.Random(2)
    for _ in range(300):
        records = [tuple(draw.choice([None, 1, 2]) for _ in range(3)) for _ in range(6)]
        for record, one in zip(records, group(records), strict=True):
            assert all(own in (None, common) for own, common in zip(record, one.columns, strict=True))


def test_a_member_is_told_what_was_assumed_of_it():
    records = [("a", 1, None), (None, 1, None)]
    _, one = group(records)
    assert one.assumed(records[1]) == [0]
