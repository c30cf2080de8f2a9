"""Made-up names, codes and addresses. Register and VAT numbers have right check digits in ranges nobody uses."""

import random
import unicodedata

ROOTS = {
    "ee": (
        "Kadaka",
        "Pihlaka",
        "Tormise",
        "Rannaku",
        "Metsalille",
        "Sinilinnu",
        "Koidutähe",
        "Hallika",
        "Nurmiku",
        "Laanekivi",
        "Võsaraja",
        "Kaljuranna",
        "Saarepuu",
        "Meresõlme",
        "Tuulekella",
        "Õunavalge",
        "Jõekääru",
        "Põdrakanepi",
        "Vahtraoja",
        "Linnutee",
        "Soosilla",
        "Künnapuu",
        "Mustikamäe",
        "Heinaküüni",
        "Lumememme",
        "Paekalda",
        "Roosisaare",
        "Ülenurga",
    ),
    "fi": (
        "Revontuli",
        "Koivukallio",
        "Järvenselkä",
        "Hopeakettu",
        "Tuulenpesä",
        "Mustikkasuo",
        "Kanervala",
        "Saaristotie",
        "Pihlajaranta",
        "Kuusiharju",
        "Lumikello",
        "Myrskyluoto",
        "Aurinkokivi",
        "Petäjävesi",
        "Haapaniitty",
        "Sinitiainen",
    ),
    "pl": (
        "Bursztynowa",
        "Jarzębina",
        "Srebrny Bór",
        "Zielony Młyn",
        "Żuraw",
        "Kamienny Dwór",
        "Modrzew",
        "Czarna Perła",
        "Złota Rybka",
        "Leśna Polana",
        "Szafirowa",
        "Wrzosowa",
        "Nadmorska",
        "Świerkowa",
    ),
}
TRADES = {
    "ee": (
        "Ehitus",
        "Kohvik",
        "Puit",
        "Logistika",
        "Disain",
        "Transport",
        "Mööbel",
        "Tarkvara",
        "Kaubandus",
        "Aiandus",
    ),
    "fi": ("Rakennus", "Kahvila", "Konsultointi", "Kuljetus", "Sähkö", "Siivous", "Ohjelmistot", "Puutarha"),
    "pl": ("Budownictwo", "Transport", "Handel", "Meble", "Konsulting", "Logistyka", "Usługi", "Druk"),
}
FORMS = {
    "ee": ("OÜ", "OÜ", "OÜ", "AS", "MTÜ"),
    "fi": ("Oy", "Oy", "Oy", "Ky", "Oyj"),
    "pl": ("Sp. z o.o.", "Sp. z o.o.", "S.A."),
}
PEOPLE = {
    "ee": (("Mari", "Jaan", "Liis", "Taavi", "Kadri", "Rein"), ("Tamm", "Kask", "Põder", "Lepik", "Õun", "Kuusk")),
    "fi": (
        ("Aino", "Eero", "Helmi", "Juhani", "Sanna", "Ville"),
        ("Mäkinen", "Laine", "Koskela", "Niemi", "Salo", "Harju"),
    ),
    "pl": (
        ("Anna", "Piotr", "Zofia", "Marek", "Ewa", "Łukasz"),
        ("Nowak", "Zając", "Wójcik", "Mazur", "Król", "Sikora"),
    ),
}
CITIES = {
    "ee": (("Tallinn", "10111"), ("Tartu", "51003"), ("Pärnu", "80010"), ("Viljandi", "71020"), ("Rakvere", "44306")),
    "fi": (("Helsinki", "00100"), ("Turku", "20100"), ("Oulu", "90100"), ("Tampere", "33100")),
    "pl": (("Warszawa", "00-001"), ("Gdańsk", "80-001"), ("Kraków", "30-001"), ("Poznań", "60-001")),
}
STREETS = {"ee": "Näidise tn", "fi": "Mallikatu", "pl": "ul. Przykładowa"}
DIAL = {"ee": "+372 5550", "fi": "+358 45550", "pl": "+48 600550"}
COUNTRY_NAMES = {"ee": "Eesti", "fi": "Suomi", "pl": "Polska"}


def company_names(country: str, rng: random.Random, count: int) -> list[str]:
    """`count` different names; numbered once the combinations are used up."""
    pairs = [f"{root} {trade}" for root in ROOTS[country] for trade in TRADES[country]]
    rng.shuffle(pairs)
    names = [f"{pair} {rng.choice(FORMS[country])}" for pair in pairs[:count]]
    extra = count - len(names)
    return names + [f"{pairs[n % len(pairs)]} {n // len(pairs) + 2} {FORMS[country][0]}" for n in range(extra)]


def person_name(country: str, rng: random.Random) -> str:
    first, last = PEOPLE[country]
    return f"{rng.choice(first)} {rng.choice(last)}"


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L"))
    kept = "".join(c if c.isalnum() else "-" for c in plain if c.isascii())
    return "-".join(filter(None, kept.lower().split("-")))


def register_code(country: str, number: int) -> str:
    """Estonian register code, Finnish Y-tunnus or Polish NIP number `number` of the made-up range."""
    if country == "ee":
        return _estonian(f"9{number:06d}")
    return _finnish(number) if country == "fi" else _polish(number)


def vat_number(country: str, code: str) -> str:
    if country == "ee":
        body = f"9{code[:7]}"
        weights = (3, 7, 1, 3, 7, 1, 3, 7)
        return f"EE{body}{-_weighted(body, weights) % 10}"
    return country.upper() + code.replace("-", "")


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True))


def _estonian(body: str) -> str:
    check = _weighted(body, (1, 2, 3, 4, 5, 6, 7)) % 11
    if check == 10:
        check = _weighted(body, (3, 4, 5, 6, 7, 8, 9)) % 11 % 10
    return f"{body}{check}"


def _finnish(number: int) -> str:
    # Remainder 1 has no check digit; every tenth-odd number is skipped by stepping on.
    body = f"9{number * 3:06d}"
    rest = _weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    if rest == 1:
        body = f"9{number * 3 + 1:06d}"
        rest = _weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    return f"{body}-{0 if rest == 0 else 11 - rest}"


def _polish(number: int) -> str:
    weights = (6, 5, 7, 2, 3, 4, 5, 6, 7)
    body = f"999{number * 2:06d}"
    if _weighted(body, weights) % 11 == 10:
        body = f"999{number * 2 + 1:06d}"
    return f"{body}{_weighted(body, weights) % 11}"
