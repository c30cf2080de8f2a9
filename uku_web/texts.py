"""Texts are marked for translation here; English is what they are written in."""

from gettext import NullTranslations

_translations = NullTranslations()


def gettext(text: str, **values: object) -> str:
    translated = _translations.gettext(text)
    return translated % values if values else translated


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    return _translations.ngettext(one, many, n) % {"n": n, "num": n, **values}


_ = gettext
