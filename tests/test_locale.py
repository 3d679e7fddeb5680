"""tornado4.locale; wordings and choices were compared with the real 4.5.3."""

from __future__ import annotations

import datetime
import logging
import struct

import pytest

from tornado4 import locale
from tornado4.locale import CSVLocale, GettextLocale, Locale

NOW = datetime.datetime(2015, 3, 18, 15, 30, 0)


@pytest.fixture(autouse=True)
def restored_state(monkeypatch):
    for name in ("_default_locale", "_translations", "_supported_locales", "_use_gettext"):
        monkeypatch.setattr(locale, name, getattr(locale, name))
    monkeypatch.setattr(Locale, "_cache", {}, raising=False)


@pytest.fixture
def frozen(monkeypatch):
    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW.replace(tzinfo=tz)

    module = type("datetime", (), {**vars(datetime), "datetime": Frozen})
    monkeypatch.setattr(locale, "datetime", module)


def write_csv(directory, name, text, encoding="utf-8"):
    (directory / name).write_bytes(text.encode(encoding))


class TestCsv:
    def test_translations_by_count(self, tmp_path):
        write_csv(
            tmp_path, "es.csv", '"sí","yes"\n"one","uno","singular"\n"many","muchos","plural"\nalone\n\n'
        )
        locale.load_translations(str(tmp_path))
        es = locale.get("es_MX")
        assert (type(es), es.code) == (CSVLocale, "es")
        assert es.translate("sí") == "yes"
        assert es.translate("one", "many", 1) == "uno"
        assert es.translate("one", "many", 2) == "muchos"
        assert es.translate("unknown") == "unknown"
        with pytest.raises(AssertionError):
            es.translate("one", "many")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_encoding_is_found_by_its_mark(self, tmp_path, encoding):
        write_csv(tmp_path, "fr.csv", "school,école\n", encoding)
        write_csv(tmp_path, "es.csv", "school,escuela\n")
        locale.load_translations(str(tmp_path))
        assert locale.get("fr").translate("school") == "école"
        assert locale.get("es").translate("school") == "escuela"

    def test_encoding_can_be_given(self, tmp_path):
        write_csv(tmp_path, "fr.csv", "school,école\n", "latin1")
        locale.load_translations(str(tmp_path), "latin1")
        assert locale.get("fr").translate("school") == "école"

    def test_what_is_wrong_is_logged_in_words_of_453(self, tmp_path, caplog):
        write_csv(tmp_path, "de_at.csv", "a,b\n")
        write_csv(tmp_path, "es.csv", "a,b,c\n")
        (tmp_path / "notes.txt").write_text("x")
        with caplog.at_level(logging.DEBUG, "tornado.general"):
            locale.load_translations(str(tmp_path))
        assert sorted(message for _, _, message in caplog.record_tuples) == [
            "Supported locales: ['en_US', 'es']",
            f"Unrecognized locale 'de_at' (path: {tmp_path}/de_at.csv)",
            "Unrecognized plural indicator 'c' in es.csv line 1",
        ]

    def test_pgettext_is_not_supported(self, caplog):
        csv = CSVLocale("es", {"unknown": {"a": "b"}})
        assert csv.pgettext("context", "a") == "b"
        assert caplog.record_tuples == [
            ("tornado.general", logging.WARNING, "pgettext is not supported by CSVLocale")
        ]


def write_mo(path, texts):
    """Write a .mo file: header, two tables of (length, offset), the strings."""
    items = sorted((key.encode(), value.encode()) for key, value in texts.items())
    offset = 28 + 16 * len(items)
    strings, tables = b"", []
    for column in zip(*items, strict=True):
        table = b""
        for text in column:
            table += struct.pack("<2I", len(text), offset + len(strings))
            strings += text + b"\0"
        tables.append(table)
    head = struct.pack("<7I", 0x950412DE, 0, len(items), 28, 28 + 8 * len(items), 0, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables) + strings)


class TestGettext:
    @pytest.fixture
    def fr(self, tmp_path):
        texts = {
            "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n > 1);\n",
            "school": "école",
            "law\4right": "le droit",
            "club\0clubs": "club\0clubs!",
            "stick\4club\0stick\4clubs": "le bâton\0les bâtons",
        }
        write_mo(tmp_path / "fr_FR" / "LC_MESSAGES" / "app.mo", texts)
        locale.load_gettext_translations(str(tmp_path), "app")
        return locale.get("fr_FR")

    def test_translations(self, fr):
        assert type(fr) is GettextLocale
        assert fr.translate("school") == "école"
        assert fr.translate("club", "clubs", 2) == "clubs!"

    def test_contexts(self, fr):
        assert fr.pgettext("law", "right") == "le droit"
        assert fr.pgettext("hand", "right") == "right"
        assert fr.pgettext("stick", "club", "clubs", 1) == "le bâton"
        assert fr.pgettext("stick", "club", "clubs", 2) == "les bâtons"

    def test_plural_without_its_context_falls_back_as_in_453(self, fr):
        assert fr.pgettext("other", "club", "clubs", 2) == "clubs!"
        with pytest.raises(AssertionError):
            fr.pgettext("other", "club", "clubs")

    def test_files_that_cannot_be_read_are_logged_and_left_out(self, tmp_path, caplog):
        (tmp_path / ".git").mkdir()
        (tmp_path / "file").write_text("")
        (tmp_path / "xx" / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / "xx" / "LC_MESSAGES" / "app.mo").write_bytes(b"bad")
        (tmp_path / "yy").mkdir()
        locale.load_gettext_translations(str(tmp_path), "app")
        errors = sorted(record.getMessage() for record in caplog.records)
        assert errors[0].startswith("Cannot load translation for 'xx': ")
        assert errors[1].startswith("Cannot load translation for 'yy': [Errno 2]")
        assert len(errors) == 2
        assert locale.get_supported_locales() == {"en_US"}


class TestChoice:
    @pytest.fixture(autouse=True)
    def three(self):
        locale._translations = {"es": {}, "pt_BR": {}, "fr": {}}
        locale.set_default_locale("en_US")

    @pytest.mark.parametrize(
        ("codes", "chosen"),
        [
            (("es",), "es"),
            (("es_MX",), "es"),
            (("pt-br",), "pt_BR"),
            (("PT_br",), "pt_BR"),
            (("pt",), "en_US"),
            (("fr_FR_x",), "en_US"),
            (("nn", "es_MX", "fr"), "es"),
            ((None, "", "fr"), "fr"),
            ((), "en_US"),
        ],
    )
    def test_closest_as_in_453(self, codes, chosen):
        assert locale.get(*codes).code == chosen

    def test_default_can_be_set(self):
        locale.set_default_locale("fr")
        assert locale.get("xx").code == "fr"
        assert locale.get_supported_locales() == {"es", "pt_BR", "fr"}

    def test_one_object_a_code(self):
        assert Locale.get("es") is locale.get("es")
        with pytest.raises(AssertionError):
            Locale.get("xx")

    def test_names(self):
        assert locale.get("pt_BR").name == "Português (Brasil)"
        assert CSVLocale("zz", {}).name == "Unknown"
        assert CSVLocale("fa_IR", {}).rtl and not CSVLocale("en", {}).rtl

    def test_plain_locale_is_abstract(self):
        with pytest.raises(NotImplementedError):
            Locale("en", {})


@pytest.mark.usefixtures("frozen")
class TestDates:
    def ago(self, code="en_US", **kwargs):
        offset = {key: kwargs.pop(key) for key in ("days", "hours", "seconds") if key in kwargs}
        return CSVLocale(code, {}).format_date(NOW - datetime.timedelta(**offset), **kwargs)

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (0, "0 seconds ago"),
            (1, "1 second ago"),
            (49, "49 seconds ago"),
            (50, "1 minute ago"),
            (90, "2 minutes ago"),
            (2999, "50 minutes ago"),
            (3000, "1 hour ago"),
            (80000, "22 hours ago"),
            (86400, "yesterday at 3:30 pm"),
            (200000, "Monday at 7:56 am"),
            (86400 * 5, "March 13 at 3:30 pm"),
            (86400 * 333, "April 19 at 3:30 pm"),
            (86400 * 334, "April 18, 2014 at 3:30 pm"),
        ],
    )
    def test_age_as_in_453(self, seconds, text):
        assert self.ago(seconds=seconds) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (-59, "0 seconds ago"),
            (-60, "March 18, 2015 at 3:31 pm"),
            (-86400 * 2, "0 seconds ago"),  # the days are not looked at: 4.5.3's, and kept
        ],
    )
    def test_future_as_in_453(self, seconds, text):
        assert self.ago(seconds=seconds) == text

    def test_shorter(self):
        assert self.ago(days=1, shorter=True) == "yesterday"
        assert self.ago(days=3, shorter=True) == "Sunday"
        assert self.ago(days=400, shorter=True) == "February 11, 2014"

    def test_not_relative(self):
        assert self.ago(seconds=30, relative=False) == "3:29 pm"
        assert self.ago(days=1, relative=False) == "Tuesday at 3:30 pm"

    def test_reader_in_another_zone(self):
        assert self.ago(hours=5, full_format=True, gmt_offset=480) == "March 18, 2015 at 2:30 am"
        assert self.ago(hours=5, full_format=True, gmt_offset=-840) == "March 19, 2015 at 12:30 am"

    @pytest.mark.parametrize(
        ("code", "text"), [("en_GB", "17:16"), ("en", "5:16 pm"), ("zh_CN", "\u4e0b\u53485:16")]
    )
    def test_clock_by_place(self, code, text):
        assert self.ago(code, seconds=80000, full_format=True) == f"March 17, 2015 at {text}"

    def test_kinds_of_dates(self):
        us = CSVLocale("en_US", {})
        assert us.format_date(0) == "January 1, 1970 at 12:00 am"
        assert us.format_date(NOW.replace(tzinfo=datetime.UTC).timestamp() - 5.0) == "5 seconds ago"
        east = datetime.timezone(datetime.timedelta(hours=2))
        aware = (NOW - datetime.timedelta(seconds=5)).replace(tzinfo=datetime.UTC).astimezone(east)
        assert us.format_date(aware) == "5 seconds ago"

    def test_words_are_translated(self):
        es = CSVLocale(
            "es",
            {
                "unknown": {
                    "January": "enero",
                    "%(month_name)s %(day)s, %(year)s at %(time)s": "%(month_name)s",
                },
                "plural": {"%(seconds)d seconds ago": "hace %(seconds)d s"},
            },
        )
        assert es.format_date(NOW - datetime.timedelta(seconds=5)) == "hace 5 s"
        assert es.format_date(datetime.datetime(2012, 1, 5)) == "enero"

    def test_day(self):
        us, day = CSVLocale("en_US", {}), datetime.datetime(2015, 3, 18, 5)
        assert us.format_day(day) == "Wednesday, March 18"
        assert us.format_day(day, gmt_offset=600, dow=False) == "March 17"


class TestNumbersAndLists:
    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "0"), (123, "123"), (1000, "1,000"), (-123, "-123"), (-1234567, "-1,234,567")],
    )
    def test_numbers(self, number, text):
        assert CSVLocale("en_US", {}).friendly_number(number) == text
        assert CSVLocale("es", {}).friendly_number(number) == str(number)

    def test_lists(self):
        us = CSVLocale("en_US", {})
        assert [us.list(parts) for parts in ([], ["a"], ("a", "b"), ["a", "b", "c"])] == [
            "",
            "a",
            "a and b",
            "a, b and c",
        ]
        assert CSVLocale("fa", {}).list(["a", "b", "c"]) == "a \u0648 b and c"
