"""The channel of an enquiry: promo code, then number, then the most exact UTM rule, then the site; else none."""

from __future__ import annotations

from itertools import permutations

import pytest

from funnel.actions.incoming import Enquiry
from funnel.models import ChannelMark
from funnel.queries.attribution import channel_of
from funnel.rules.attribution import Mark, channel_id_of, signs_of, sites_of
from tests import make

MARKS = [
    Mark("promo", "весна", 1),
    Mark("number", "+74951234567", 2),
    Mark("utm", "yandex", 3, "cpc", "спина"),
    Mark("utm", "yandex", 4, "cpc"),
    Mark("utm", "yandex", 5),
    Mark("referrer", "maps.example.ru", 6),
    Mark("referrer", "example.ru", 7),
]
ALL = {
    "promo": " Весна ",
    "number": "+74951234567",
    "utm": {"source": "YANDEX", "medium": "Cpc", "campaign": "спина"},
    "referrer": "https://www.maps.example.ru/org/1",
}
FALLS = [
    ({}, 1), ({"promo": ""}, 2), ({"number": ""}, 3), ({"utm": {"source": "yandex", "medium": "cpc", "campaign": "x"}}, 4),
    ({"utm": {"source": " yandex", "medium": "seo"}}, 5), ({"utm": {}}, 6), ({"referrer": "example.ru"}, 7),
    ({"referrer": "https://notexample.ru"}, None),
]  # fmt: skip


def test_each_sign_taken_away_the_next_one_holds_whatever_the_order_of_rules():
    given = dict(ALL)
    for change, expected in FALLS:
        given |= change
        for rules in list(permutations(MARKS))[::97]:
            assert channel_id_of(rules, signs_of(**given)) == expected, change


@pytest.mark.parametrize(
    ("address", "sites"),
    [("https://a.b.ru/x?y", ("a.b.ru", "b.ru")), ("b.ru", ("b.ru",)), ("", ()), ("http://[", ()), ("localhost", ())],
)
def test_the_sites_of_an_address(address, sites):
    assert sites_of(address) == sites


@pytest.mark.django_db
def test_the_channel_is_read_in_two_queries_and_none_without_a_sign(django_assert_num_queries):
    channel = make.channel()
    ChannelMark.objects.create(kind="number", value="+74951234567", channel=channel)
    with django_assert_num_queries(2):
        assert channel_of(Enquiry(kind="call", created_at=make.NOW, called_number="8 (495) 123-45-67")) == channel
    with django_assert_num_queries(0):
        assert channel_of(Enquiry(kind="call", created_at=make.NOW)) is None
