"""Translations, and dates, numbers and lists as people of a place write them.

Translations come from a directory of CSV files (`load_translations`) or from gettext's ``.mo`` files
(`load_gettext_translations`), once, when the application starts. Then::

    reader = locale.get("es_LA")
    print(reader.translate("Log in"))

``get`` returns the closest locale there is, not always the one asked for. Of singular and plural the
count decides::

    text = reader.translate("%(who)s has arrived", "%(who)s have arrived", len(guests))
    print(text % {"who": reader.list(guests)})

Applications normally use ``locale`` and ``_`` as `.RequestHandler` and templates have them.
"""

from __future__ import annotations

import codecs
import datetime
import numbers
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tornado4 import _handed_on, escape
from tornado4._locale_data import LOCALE_NAMES
from tornado4.log import gen_log
from tornado4.util import PY3, bytes_type, u

if TYPE_CHECKING:
    import gettext

_default_locale = "en_US"
_translations: dict[str, Any] = {}
_supported_locales: frozenset[str] = frozenset([_default_locale])
_use_gettext = False
#: Stands between context and text in a catalogue of gettext (`Locale.pgettext`).
CONTEXT_SEPARATOR = "\x04"

_LOCALE_CODE = re.compile(r"[a-z]+(?:_[A-Z]+)?")
_Minutes = int
_Date = float | datetime.datetime
_PLURAL_FORMS = ("plural", "singular", "unknown")


def get(*locale_codes: str) -> Locale:
    """Return the locale that fits the given codes best, in order of preference.

    A language alone does where its region is not there: ``en`` for ``en_GB``. If nothing fits, the
    default locale is returned (`set_default_locale`).
    """
    return Locale.get_closest(*locale_codes)


def set_default_locale(code: str) -> None:
    """Say which locale the texts in the application's source are written in.

    It needs no translation file, and is what `get` falls back to. ``en_US`` if never set.

    :arg code: such as ``en_US``, which it is by default.
    """
    global _default_locale
    _default_locale = code
    _note_supported()


def _note_supported() -> None:
    global _supported_locales
    _supported_locales = frozenset([*_translations, _default_locale])


def get_supported_locales() -> Iterable[str]:
    """Return the codes of all locales there are, the default one included."""
    return _supported_locales


def load_translations(directory: str, encoding: str | None = None) -> None:
    """Read translations from CSV files, named after their locales: ``es_LA.csv``.

    A row holds a text, its translation, and optionally for which count it is: ``plural``,
    ``singular``, or ``unknown``, the default, for texts without a count::

        "Good morning","Buenos días"
        "%(n)d letter","%(n)d carta","singular"
        "%(n)d letters","%(n)d cartas","plural"

    :param encoding: of all the files. By default UTF-16 where a file's byte order mark says so, and
        UTF-8, with or without a mark, otherwise.
    :arg directory: a path.
    """
    import csv  # late: hardly anybody has such files

    global _translations
    _translations = {}
    for file_name in os.listdir(directory):
        if not file_name.endswith(".csv"):
            continue
        path = os.path.join(directory, file_name)
        code, _ = file_name.split(".")
        if _LOCALE_CODE.fullmatch(code) is None:
            gen_log.error("Unrecognized locale %r (path: %s)", code, path)
            continue
        forms = _translations[code] = {}
        with open(path, encoding=encoding or _guess_encoding(path), newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                _add_row(forms, [cell.strip() for cell in row], f"{file_name} line {number}")
    _note_supported()
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


def _guess_encoding(path: str) -> str:
    # Spreadsheets save as UTF-16 and mark it. utf-8-sig skips a mark and needs none.
    with open(path, "rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _add_row(forms: dict[str, dict[str, str]], row: list[str], place: str) -> None:
    if len(row) < 2:
        return
    form = (row[2] if len(row) > 2 else "") or "unknown"
    if form in _PLURAL_FORMS:
        forms.setdefault(form, {})[row[0]] = row[1]
    else:
        gen_log.error("Unrecognized plural indicator %r in %s", form, place)


def load_gettext_translations(directory: str, domain: str) -> None:
    """Read translations from gettext's files, ``{directory}/{locale}/LC_MESSAGES/{domain}.mo``.

    ``xgettext`` collects an application's texts, ``msgmerge`` updates translations of them, ``msgfmt``
    makes the ``.mo`` files. A file that cannot be read is logged and left out.
    """
    import gettext  # late, as csv above

    global _translations, _use_gettext
    _translations = {}
    for code in os.listdir(directory):
        if code.startswith(".") or os.path.isfile(os.path.join(directory, code)):
            continue
        try:
            # By itself, gettext would be content with the file of another region.
            os.stat(os.path.join(directory, code, "LC_MESSAGES", domain + ".mo"))
            _translations[code] = gettext.translation(domain, directory, languages=[code])
        except Exception as error:  # a damaged file raises whatever its parser stumbles on
            gen_log.error("Cannot load translation for '%s': %s", code, str(error))
    _note_supported()
    _use_gettext = True
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


class Locale:
    """A language, of a region or in general; made by `get`, one object a code.

    Subclasses translate; formatting is the same for all. ``code``, ``name`` (the language's own name
    for itself) and ``rtl`` (written from right to left) are there to read.
    """

    _cache: ClassVar[dict[str, Locale]]

    @classmethod
    def get_closest(cls, *locale_codes: str) -> Locale:
        """Return the best match for codes such as ``pt-br``, ``pt_BR`` or ``pt``; see `get`."""
        for code in locale_codes:
            language, separator, region = code.replace("-", "_").partition("_") if code else ("_", "", "")
            if "_" in language + region:
                continue  # empty, or of more than two parts
            language = language.lower()
            # A code without a region is looked up as it is spelled before its spelling is mended.
            exact = f"{language}_{region.upper()}" if separator else code
            for candidate in (exact, language):
                if candidate in _supported_locales:
                    return cls.get(candidate)
        return cls.get(_default_locale)

    @classmethod
    def get(cls, code: str) -> Locale:
        """Return the locale of this very code, which must be one of `get_supported_locales`."""
        if not hasattr(cls, "_cache"):
            cls._cache = {}
        if code not in cls._cache:
            assert code in _supported_locales
            translations = _translations.get(code)
            if translations is not None and _use_gettext:
                cls._cache[code] = GettextLocale(code, translations)
            else:
                cls._cache[code] = CSVLocale(code, translations or {})
        return cls._cache[code]

    def __init__(self, code: str, translations: Any) -> None:
        self.code = code
        self.name = LOCALE_NAMES.get(code, {}).get("name", "Unknown")
        self.rtl = code.startswith(("fa", "ar", "he"))
        self.translations = translations
        months = "January February March April May June July August September October November December"
        days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
        self._months = [self.translate(month) for month in months.split()]
        self._weekdays = [self.translate(day) for day in days.split()]

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        """Return the translation of a text, or the text itself where there is none.

        With ``plural_message``, ``count`` must be given, and says which of both is translated.

        :arg message: the text; ``plural_message`` its plural, ``count`` how many there are: given together, or
            not at all.
        """
        raise NotImplementedError()

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Translate a text that means different things in different contexts.

        :arg message: the text; ``plural_message`` its plural, ``count`` how many there are: given together, or
            not at all.
        """
        raise NotImplementedError()

    def format_date(
        self,
        date: _Date,
        gmt_offset: _Minutes = 0,
        relative: bool = True,
        shorter: bool = False,
        full_format: bool = False,
    ) -> str:
        """Write a date as people do: ``2 minutes ago``, ``yesterday at 3:30 pm``, ``March 12``.

        :param date: in UTC: seconds since the epoch, or a `datetime.datetime`, with or without a
            time zone (without one it is UTC).
        :param gmt_offset: minutes that the reader's clock is *behind* UTC, as JavaScript's
            ``getTimezoneOffset`` counts them.
        :param relative: measure recent dates from now; false for the time or day itself.
        :param shorter: leave the time of day out where the day says enough.
        :param full_format: always the whole date, however recent.

        Meant for the past. As in 4.5.3, a date in the future is taken for now if, days left aside,
        it is less than a minute ahead, and otherwise written in full.
        """
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        date = _naive_utc(date)
        if date > now:
            if relative and (date - now).seconds < 60:
                date = now
            else:
                full_format = True
        age = now - date
        offset = datetime.timedelta(minutes=gmt_offset)
        local = date - offset
        pattern = None
        if not full_format:
            if relative and age.days == 0:
                return self._format_age(age.seconds)
            yesterday = relative and local.day == (now - offset - datetime.timedelta(days=1)).day
            pattern = self._recent_pattern(age.days, yesterday, shorter)
        if pattern is None:
            pattern = "%(month_name)s %(day)s, %(year)s" + ("" if shorter else " at %(time)s")
        return self.translate(pattern) % {
            "month_name": self._months[local.month - 1],
            "weekday": self._weekdays[local.weekday()],
            "day": str(local.day),
            "year": str(local.year),
            "time": self._format_time(local),
        }

    def _format_age(self, seconds: int) -> str:
        if seconds < 50:
            text = self.translate("1 second ago", "%(seconds)d seconds ago", seconds)
            return text % {"seconds": seconds}
        if seconds < 50 * 60:
            minutes = round(seconds / 60.0)
            return self.translate("1 minute ago", "%(minutes)d minutes ago", minutes) % {"minutes": minutes}
        hours = round(seconds / (60.0 * 60))
        return self.translate("1 hour ago", "%(hours)d hours ago", hours) % {"hours": hours}

    def _recent_pattern(self, days: int, yesterday: bool, shorter: bool) -> str | None:
        """Return how to write a date some whole days old, or ``None`` if it needs its year."""
        if days == 0:
            return "%(time)s"
        if days == 1 and yesterday:
            day = "yesterday"
        elif days < 5:
            day = "%(weekday)s"
        elif days < 334:  # eleven months: the month's name cannot mean this year's
            day = "%(month_name)s %(day)s"
        else:
            return None
        return day if shorter else day + " at %(time)s"

    def _format_time(self, local: datetime.datetime) -> str:
        afternoon, hour = divmod(local.hour, 12)
        if self.code in ("en", "en_US"):
            return f"{hour or 12}:{local.minute:02} {('am', 'pm')[afternoon]}"
        if self.code == "zh_CN":
            half = "\u4e0b\u5348" if afternoon else "\u4e0a\u5348"
            return f"{half}{hour or 12}:{local.minute:02}"
        return f"{local.hour}:{local.minute:02}"

    def format_day(self, date: datetime.datetime, gmt_offset: _Minutes = 0, dow: bool = True) -> str:
        """Write a day of some year: ``Monday, January 22``; without ``dow``, ``January 22``.

        :arg date: a datetime in UTC.
        :arg gmt_offset: minutes west of UTC.
        """
        local = date - datetime.timedelta(minutes=gmt_offset)
        parts = {"month_name": self._months[local.month - 1], "day": str(local.day)}
        if not dow:
            return self.translate("%(month_name)s %(day)s") % parts
        parts["weekday"] = self._weekdays[local.weekday()]
        return self.translate("%(weekday)s, %(month_name)s %(day)s") % parts

    def list(self, parts: Sequence[str]) -> str:
        """Write a list: ``A``, ``A and B``, ``A, B and C``; nothing for an empty one.

        :arg parts: texts.
        """
        if not parts:
            return ""
        *commas, last = parts
        if not commas:
            return last  # as it is: a lazy translation, say, stays one
        comma = " \u0648 " if self.code.startswith("fa") else ", "
        return self.translate("%(commas)s and %(last)s") % {"commas": comma.join(commas), "last": last}

    def friendly_number(self, value: int) -> str:
        """Write an integer, in English with commas between the thousands."""
        if self.code not in ("en", "en_US"):
            return str(value)
        return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", str(value))


def _naive_utc(date: Any) -> datetime.datetime:
    if isinstance(date, numbers.Real):
        date = datetime.datetime.fromtimestamp(float(date), datetime.UTC)
    if date.tzinfo is not None:
        date = date.astimezone(datetime.UTC).replace(tzinfo=None)
    result: datetime.datetime = date
    return result


class CSVLocale(Locale):
    """A locale with translations from a CSV file, or with none."""

    translations: Mapping[str, Mapping[str, str]]

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        """See `Locale.translate`. The form for ``count`` 1 is in the file as "singular", all others as "plural"."""
        form = "unknown"
        if plural_message is not None:
            assert count is not None
            form = "singular"
            if count != 1:
                form, message = "plural", plural_message
        return self.translations.get(form, {}).get(message, message)

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Translate without regard to the context, which CSV files cannot tell; logs a warning."""
        text = self.translate(message, plural_message, count)
        if self.translations:
            gen_log.warning("pgettext is not supported by CSVLocale")
        return text


class GettextLocale(Locale):
    """A locale with translations from gettext's files."""

    def __init__(self, code: str, translations: gettext.NullTranslations) -> None:
        self.ngettext, self.gettext = translations.ngettext, translations.gettext
        # Last: it translates the names of months already.
        super().__init__(code, translations)

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        """See `Locale.translate`. Which plural form ``count`` takes is said by the ``.mo`` file."""
        if plural_message is None:
            return self.gettext(message)
        assert count is not None
        return self.ngettext(message, plural_message, count)

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Translate a text in a context, as ``xgettext`` extracts them with these options::

            xgettext --keyword=pgettext:1c,2 --keyword=pgettext:1c,2,3

        Without a translation for this context, a plural falls back to the one without context, and a
        singular to the text itself, as in 4.5.3.
        """
        # An untranslated key comes back as it went in, separator and all.
        key = context + CONTEXT_SEPARATOR
        if plural_message is None:
            found = self.gettext(key + message)
            return message if CONTEXT_SEPARATOR in found else found
        assert count is not None
        found = self.ngettext(key + message, key + plural_message, count)
        return self.ngettext(message, plural_message, count) if CONTEXT_SEPARATOR in found else found


__all__ = [
    "CONTEXT_SEPARATOR",
    "LOCALE_NAMES",
    "PY3",
    "CSVLocale",
    "GettextLocale",
    "Locale",
    "bytes_type",
    "escape",
    "get",
    "get_supported_locales",
    "load_gettext_translations",
    "load_translations",
    "set_default_locale",
    "u",
]

_handed_on.complete(globals())
