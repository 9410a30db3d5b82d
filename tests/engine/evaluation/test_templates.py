"""Templates of tasks are programs of strangers: Jinja's sandbox fills them in, plain ones as ever."""

from __future__ import annotations

import pytest
from jinja2 import Environment, StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from lm_eval import utils

from engine.evaluation.templates import prepare_templates

DOCUMENT = {"q": "Is it so?", "choices": {"text": [" yes", " no"], "label": ["A", "B"]}, "label": 1, "s": "a,b"}


@pytest.fixture(autouse=True)
def _prepared():
    prepare_templates()


@pytest.mark.parametrize(
    "template",
    [
        "{{ cycler.__init__.__globals__.os.getcwd() }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{{ (q|attr('__class__')).mro() }}",
        "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
        "{{ '{0.__class__.__base__}'.format(q) }}",
    ],
)
def test_a_template_does_not_get_out(template: str):
    with pytest.raises((SecurityError, UndefinedError)):
        print(utils.apply_template(template, DOCUMENT))


@pytest.mark.parametrize(
    "template",
    [
        "{{q}}\nAnswer:",
        "{{q.strip()|upper}} {{choices.text[label]}}\n",
        "{{choices.label.index('B')}}{{['__label__a', '__label__b'].index('__label__b')}}",
        "{% set a = s.split(',') %}{{a[:-1]|join(' ')}} ____. {{ a.append('c') or a }}",
        "{% for c in choices['text'] %}{{ loop.index0 }}{{ c }}{% if not loop.last %}, {% endif %}{% endfor %}",
        "{{ q|regex_replace('\\\\s+', '_') }}{{ '%s-%s' % (label, s) }}{{ '{:02d}'.format(label) }}",
    ],
)
def test_a_plain_template_gives_what_it_gave(template: str):
    plain = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    plain.filters["regex_replace"] = utils.regex_replace
    assert utils.apply_template(template, DOCUMENT) == plain.from_string(template).render(**DOCUMENT)


def test_a_missing_field_is_still_missed():
    with pytest.raises(UndefinedError, match="'question' is undefined"):
        utils.apply_template("{{question}}", DOCUMENT)


def test_a_template_is_compiled_once():
    assert utils.env.from_string("{{q}} once") is utils.env.from_string("{{q}} once")
