"""Each country's tax rates, chart of accounts, batch codes and words."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True)
class Rate:
    code: str
    name: str
    name_en: str
    percent: Decimal
    use: str
    since: date = LONG_AGO
    until: date | None = None


@dataclass(frozen=True)
class Country:
    code: str
    currency: str
    rates: tuple[Rate, ...]
    accounts: dict[str, tuple[str, str]]
    batch_codes: dict[str, str]
    foreign: dict[str, Decimal]  # units of the other currency for one of the books' own
    bank: str
    articles: tuple[tuple[str, str, str], ...]  # name, unit, use of tax
    costs: tuple[tuple[str, str], ...]  # description, use of tax
    cash: str = ""  # the cash desk, where some payments go

    @cached_property
    def account_names(self) -> dict[str, str]:
        return dict(self.accounts.values())


def _rate(code: str, percent: str, name: str, name_en: str, use: str, since=LONG_AGO, until=None) -> Rate:
    return Rate(code, name, name_en, Decimal(percent), use, since, until)


ESTONIA = Country(
    code="ee",
    currency="EUR",
    rates=(
        _rate("20%", "20", "20% käibemaks", "VAT 20%", "standard", LONG_AGO, date(2023, 12, 31)),
        _rate("22%", "22", "22% käibemaks", "VAT 22%", "standard", date(2024, 1, 1), date(2025, 6, 30)),
        _rate("24%", "24", "24% käibemaks", "VAT 24%", "standard", date(2025, 7, 1)),
        _rate("13%", "13", "13% käibemaks, majutus", "VAT 13%, accommodation", "lodging", date(2025, 1, 1)),
        _rate("9%", "9", "9% käibemaks", "VAT 9%", "reduced"),
        _rate("5%", "5", "5% käibemaks, ajakirjandus", "VAT 5%, press", "press", date(2022, 8, 1), date(2024, 12, 31)),
        _rate("0%", "0", "0% käibemaks", "VAT 0%", "zero"),
        _rate("0% EL", "0", "0% ühendusesisene käive", "VAT 0%, intra-EU", "eu"),
        _rate("-", "0", "Ei ole käive", "Not taxable", "exempt"),
    ),
    accounts={
        "bank": ("1010", "Arvelduskonto"),
        "receivable": ("1210", "Ostjate tasumata summad"),
        "payable": ("2110", "Võlad tarnijatele"),
        "vat": ("2315", "Käibemaks"),
        "vat_due": ("2310", "Maksuamet, ettemaksukonto"),
        "sales": ("3010", "Teenuste müük"),
        "goods": ("3020", "Kaupade müük"),
        "cost": ("4010", "Ostetud kaubad ja teenused"),
        "rounding": ("8610", "Ümardamine"),
        "fees": ("4510", "Pangateenused"),
        "wages": ("5010", "Palgakulu"),
        "wages_due": ("2410", "Võlad töövõtjatele"),
        "depreciation": ("5510", "Põhivara kulum"),
        "assets": ("1830", "Akumuleeritud kulum"),
    },
    batch_codes={"sale": "MA", "purchase": "OA", "payment": "PA", "journal": "PÄ", "closing": "KD"},
    foreign={"USD": Decimal("1.0850000"), "SEK": Decimal("11.2400000"), "GBP": Decimal("0.8430000")},
    bank="Näidispank",
    articles=(
        ("Konsultatsioon", "tund", "standard"),
        ("Hooldusleping", "kuu", "standard"),
        ("Paigaldus", "tk", "standard"),
        ("Käsiraamat", "tk", "reduced"),
        ("Majutus", "öö", "lodging"),
        ("Eksportkaup", "tk", "zero"),
        ("Tasuta näidis", "tk", "exempt"),
        ("Transport", "km", "standard"),
        ("Projekteerimine", "tund", "standard"),
        ("Rent", "kuu", "standard"),
    ),
    costs=(
        ("Kontoritarbed", "standard"),
        ("Elekter", "standard"),
        ("Raamatud", "reduced"),
        ("Kindlustus", "exempt"),
        ("EL teenus", "eu"),
        ("Materjal", "standard"),
        ("Kütus", "standard"),
    ),
)

FINLAND = Country(
    code="fi",
    currency="EUR",
    rates=(
        _rate("24%", "24", "ALV 24 %", "VAT 24%", "standard", LONG_AGO, date(2024, 8, 31)),
        _rate("25,5%", "25.5", "ALV 25,5 %", "VAT 25.5%", "standard", date(2024, 9, 1)),
        _rate("14%", "14", "ALV 14 %", "VAT 14%", "reduced", LONG_AGO, date(2025, 12, 31)),
        _rate("13,5%", "13.5", "ALV 13,5 %", "VAT 13.5%", "reduced", date(2026, 1, 1)),
        _rate("10%", "10", "ALV 10 %", "VAT 10%", "press"),
        _rate("0%", "0", "ALV 0 %", "VAT 0%", "zero"),
        _rate("0% EU", "0", "Yhteisömyynti 0 %", "Intra-EU 0%", "eu"),
        _rate("-", "0", "Veroton", "Not taxable", "exempt"),
    ),
    accounts={
        "bank": ("1910", "Pankkitili"),
        "receivable": ("1700", "Myyntisaamiset"),
        "payable": ("2870", "Ostovelat"),
        "vat": ("2939", "Arvonlisäverovelka"),
        "vat_due": ("2930", "Verotili"),
        "sales": ("3000", "Myynti"),
        "goods": ("3010", "Tavaramyynti"),
        "cost": ("4000", "Ostot"),
        "rounding": ("8490", "Pyöristyserot"),
        "fees": ("8560", "Pankkikulut"),
        "wages": ("5000", "Palkat"),
        "wages_due": ("2960", "Siirtovelat"),
        "depreciation": ("6800", "Poistot"),
        "assets": ("1160", "Kalusto"),
    },
    batch_codes={"sale": "ML", "purchase": "OL", "payment": "MS", "journal": "MT", "closing": "ALV"},
    foreign={"SEK": Decimal("11.2400000"), "NOK": Decimal("11.6200000"), "USD": Decimal("1.0850000")},
    bank="Mallipankki",
    articles=(
        ("Konsultointi", "h", "standard"),
        ("Huoltosopimus", "kk", "standard"),
        ("Ruokatarjoilu", "kpl", "reduced"),
        ("Kirja", "kpl", "press"),
        ("Vientitavara", "kpl", "zero"),
        ("Kuljetus", "km", "standard"),
        ("Vuokra", "kk", "exempt"),
    ),
    costs=(
        ("Toimistotarvikkeet", "standard"),
        ("Sähkö", "standard"),
        ("Elintarvikkeet", "reduced"),
        ("Vakuutus", "exempt"),
        ("EU-palvelu", "eu"),
        ("Tarvikkeet", "standard"),
    ),
)

POLAND = Country(
    code="pl",
    currency="PLN",
    rates=(
        _rate("22%", "22", "VAT 22%", "VAT 22%", "standard", LONG_AGO, date(2010, 12, 31)),
        _rate("23%", "23", "VAT 23%", "VAT 23%", "standard", date(2011, 1, 1)),
        _rate("7%", "7", "VAT 7%", "VAT 7%", "reduced", LONG_AGO, date(2010, 12, 31)),
        _rate("8%", "8", "VAT 8%", "VAT 8%", "reduced", date(2011, 1, 1)),
        _rate("5%", "5", "VAT 5%", "VAT 5%", "press", date(2011, 1, 1)),
        _rate("0%", "0", "VAT 0%", "VAT 0%", "zero"),
        _rate("0% WDT", "0", "VAT 0% WDT", "VAT 0%, intra-EU", "eu"),
        _rate("zw.", "0", "Zwolnione", "Exempt", "exempt"),
        _rate("np.", "0", "Nie podlega", "Not taxable", "outside"),
    ),
    accounts={
        "bank": ("130", "Rachunek bieżący"),
        "receivable": ("200", "Rozrachunki z odbiorcami"),
        "payable": ("202", "Rozrachunki z dostawcami"),
        "vat": ("221", "Rozrachunki z tytułu VAT"),
        "vat_due": ("222", "Urząd skarbowy"),
        "sales": ("700", "Sprzedaż usług"),
        "goods": ("730", "Sprzedaż towarów"),
        "cost": ("402", "Usługi obce"),
        "rounding": ("760", "Zaokrąglenia"),
        "fees": ("751", "Koszty finansowe"),
        "wages": ("404", "Wynagrodzenia"),
        "wages_due": ("230", "Rozrachunki z pracownikami"),
        "depreciation": ("400", "Amortyzacja"),
        "assets": ("070", "Umorzenie"),
    },
    batch_codes={"sale": "FS", "purchase": "FZ", "payment": "WB", "journal": "PK", "closing": "VAT"},
    foreign={"EUR": Decimal("0.2310000"), "USD": Decimal("0.2510000"), "CZK": Decimal("5.8200000")},
    bank="Bank Przykładowy",
    articles=(
        ("Doradztwo", "godz.", "standard"),
        ("Abonament", "mies.", "standard"),
        ("Montaż", "szt.", "reduced"),
        ("Książka", "szt.", "press"),
        ("Towar eksportowy", "szt.", "zero"),
        ("Szkolenie", "szt.", "exempt"),
        ("Transport", "km", "standard"),
    ),
    costs=(
        ("Materiały biurowe", "standard"),
        ("Energia", "standard"),
        ("Ubezpieczenie", "exempt"),
        ("Usługa UE", "eu"),
        ("Paliwo", "standard"),
        ("Remont", "reduced"),
    ),
)

COUNTRIES = {country.code: country for country in (ESTONIA, FINLAND, POLAND)}
