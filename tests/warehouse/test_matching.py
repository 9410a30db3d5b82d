"""Records are alike where their known columns agree, and only where there is one way to say so."""

from warehouse.matching import group


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


def test_a_member_is_told_what_was_assumed_of_it():
    records = [("a", 1, None), (None, 1, None)]
    _, one = group(records)
    assert one.assumed(records[1]) == [0]
