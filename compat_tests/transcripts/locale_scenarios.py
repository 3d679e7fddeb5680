"""tornado.locale."""
import datetime
import os
import shutil
import tempfile

from tornado import locale


def tables(write):
    folder = tempfile.mkdtemp()
    write(folder)
    return folder


def reset():
    locale._translations = {}
    locale._default_locale = "en_US"
    locale._supported_locales = frozenset(["en_US"])
    locale._use_gettext = False
    locale.Locale._cache = {}


def csv_folder(folder):
    with open(os.path.join(folder, "fr_FR.csv"), "w") as file:
        file.write('"school","\u00e9cole"\n"%d person","%d personne","singular"\n"%d person","%d personnes","plural"\n')
    with open(os.path.join(folder, "es.csv"), "w") as file:
        file.write('"school","escuela"\n"bad"\n"x","y","dual"\n')
    with open(os.path.join(folder, "notalocale!.csv"), "w") as file:
        file.write('"a","b"\n')


def load_csv(record):
    folder = tables(csv_folder)
    locale.load_translations(folder)
    record(sorted(locale.get_supported_locales()))
    fr = locale.get("fr_FR")
    record(fr.translate("school"), fr.translate("%d person", "%d persons", 1), fr.translate("%d person", "%d persons", 3))
    record(fr.code, fr.name, fr.rtl, locale.get("es").translate("school"), fr.translate("unknown"))
    record(fr.pgettext("context", "school"))
    shutil.rmtree(folder)
    reset()


def closest(record):
    folder = tables(csv_folder)
    locale.load_translations(folder)
    record([locale.get(*codes).code for codes in (("fr",), ("fr-fr",), ("fr_CA",), ("es_MX",), ("de", "es"), (None, "es"), ("xx",), ("a_b_c",), ())])
    shutil.rmtree(folder)
    reset()


def default_locale(record):
    folder = tables(csv_folder)
    locale.load_translations(folder)
    locale.set_default_locale("es")
    record(locale.get("xx").code, sorted(locale.get_supported_locales()))
    shutil.rmtree(folder)
    reset()


def load_missing_folder(record):
    try:
        locale.load_translations("/nowhere/at/all")
    except Exception as e:
        record(type(e))


def gettext_missing(record):
    folder = tempfile.mkdtemp()
    os.mkdir(os.path.join(folder, "de"))
    locale.load_gettext_translations(folder, "domain")
    record(sorted(locale.get_supported_locales()))
    shutil.rmtree(folder)
    reset()


def dates(record):
    en = locale.get("en_US")
    old = datetime.datetime(2011, 4, 27, 18, 5, 9)
    record(en.format_date(old, full_format=True), en.format_date(old), en.format_date(old, shorter=True))
    record(en.format_date(old, gmt_offset=-120, relative=False), en.format_day(old), en.format_day(old, dow=False))
    record(en.format_date(0, full_format=True))


def relative_dates(record):
    en = locale.get("en_US")
    now = datetime.datetime(2026, 5, 6, 12, 0, 0)

    class Standing(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now

        @classmethod
        def now(cls, tz=None):
            return now.replace(tzinfo=tz)

    locale.datetime = type("datetime", (), dict(vars(datetime), datetime=Standing))
    for seconds in (2, 1, 70, 200, 3700, 7300):
        record(en.format_date(now - datetime.timedelta(seconds=seconds)))
    for days in (-1, 400):
        text = en.format_date(now - datetime.timedelta(days=days), full_format=True)
        record(" at " in text)
    locale.datetime = datetime


def friendly(record):
    en = locale.get("en_US")
    record([en.friendly_number(n) for n in (0, 12, 999, 1000, 1234567, -5)])
    record([en.list(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"], [5])])


def names(record):
    record(locale.LOCALE_NAMES["de_DE"], len(locale.LOCALE_NAMES), locale.LOCALE_NAMES["zh_TW"])
    record(locale.get("xx").name, locale.Locale.get("en_US").name)
