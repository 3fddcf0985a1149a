"""What the headings of a table mean, whichever program and language wrote them.

No program has a table of its own here. A heading is taken apart into words; numbers, words that say which of
several is meant (home, geschäftlich, secondaire) and words that say what a neighbour is (type, label) are set aside;
what is left has to be wholly known, by phrase or by kind of word. So `Assistant's Phone` is nobody's telephone, and
`E-mail 2 Display Name` is no address: a heading with one unknown word means nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from crm.kit.text import words

# A phrase is a whole heading; words that only join others (of, de, di) are left out of both.
_PHRASES: Mapping[str, str] = {
    "name": "name, nom, nombre, nome, naam",
    "full_name": """
        full name, display name, contact name, person name, customer name, lead name, anzeigename,
        vollstandiger name, nom complet, nom affiche, nom affichage, nombre completo, nombre mostrar, nome completo,
        nome visualizzato, nome exibicao, volledige naam, weergavenaam
    """,
    "given_name": """
        first name, given name, forename, first, vorname, rufname, prenom, nombre pila, nombres, primer nombre,
        nome proprio, nome battesimo, primeiro nome, voornaam, roepnaam
    """,
    "additional_name": """
        middle name, middle names, additional name, weitere vornamen, weiterer vorname, zweiter vorname,
        deuxieme prenom, second prenom, autres prenoms, segundo nombre, secondo nome, segundo nome, nome meio,
        tweede voornaam, tweede naam
    """,
    "family_prefix": "tussenvoegsel, tussenvoegsels",
    "family_name": """
        last name, surname, family name, last, nachname, familienname, zuname, nom famille, apellido, apellidos,
        primer apellido, cognome, achternaam, familienaam, sobrenome, ultimo nome
    """,
    "second_family_name": "segundo apellido, second last name",
    "nickname": "nickname, nick name, spitzname, surnom, apodo, alias, soprannome, bijnaam, roepnaam",
    "company": """
        company, company name, organization, organisation, organization name, organisation name, account name,
        associated company, employer, firma, firmenname, unternehmen, unternehmensname, name unternehmens,
        arbeitgeber, name organisation, societe, entreprise, nom societe, nom entreprise, nom organisation,
        raison sociale, employeur, empresa, compania, organizacion, nombre empresa, nombre organizacion,
        razon social, azienda, societa, ditta, organizzazione, nome azienda, nome organizzazione, ragione sociale,
        bedrijf, bedrijfsnaam, organisatie, naam bedrijf, naam organisatie, organizacao, nome empresa,
        nome organizacao, razao social
    """,
    "job_title": """
        job title, jobtitle, position, job position, organization title, organisation title, funktion, position firma,
        berufsbezeichnung, stellenbezeichnung, arbeitstitel, jobtitel, stellung, fonction, poste, intitule poste,
        titre poste, titre professionnel, titre organisation, cargo, puesto, puesto trabajo, titulo cargo,
        titulo organizacion, qualifica, mansione, posizione, posizione lavorativa, titolo professionale,
        titolo organizzazione, functie, functietitel, functieomschrijving, titulo profissional, funcao,
        titulo organizacao
    """,
    "title": """
        title, titel, titre, titulo, titolo, occupation, beruf, profession, profesion, professione, beroep, profissao
    """,
    "apelido": "apelido",
    "birthday": """
        birthday, birth date, date birth, dob, geburtstag, geburtsdatum, anniversaire, date naissance, cumpleanos,
        fecha nacimiento, compleanno, data nascita, verjaardag, geboortedatum, data nascimento, data aniversario
    """,
    "birth_year": """
        birth year, geburtsjahr, annee naissance, ano nacimiento, anno nascita, geboortejaar, ano nascimento
    """,
    "birth_month": """
        birth month, geburtsmonat, mois naissance, mes nacimiento, mese nascita, geboortemaand, mes nascimento
    """,
    "note": """
        notes, note, notiz, notizen, bemerkung, bemerkungen, kommentar, kommentare, beschreibung, anmerkungen,
        description, comment, comments, remarks, remarque, remarques, commentaire, commentaires, notas, nota,
        observaciones, comentarios, descripcion, annotazioni, descrizione, commenti, opmerkingen, opmerking, notities,
        aantekeningen, beschrijving, observacoes, anotacoes, descricao
    """,
    "language": """
        language, preferred language, sprache, korrespondenzsprache, langue, langue preferee, idioma, lengua,
        idioma preferido, lingua, lingua preferita, taal, voorkeurstaal
    """,
    "box": """
        po box, p o box, post office box, postfach, boite postale, bp, apartado, apartado correos, apartado postal,
        casella postale, postbus, caixa postal
    """,
    "extended": """
        extended address, extended, adresszusatz, zusatz, adresse etendue, complement adresse, complement,
        direccion ampliada, complemento, indirizzo esteso, uitgebreid adres, toevoeging, endereco estendido,
        neighborhood, bairro
    """,
    "house_number": "house number, hausnummer, hausnr, numero rue, numero civico, huisnummer, numero casa",
    "address": """
        address, postal address, full address, formatted, formatted address, adresse, anschrift, postanschrift,
        formatiert, formatierte adresse, adresse postale, formate, formatee, adresse complete, direccion,
        direccion postal, domicilio, formateada, direccion completa, con formato, indirizzo, indirizzo postale,
        formattato, indirizzo completo, adres, postadres, opgemaakt, geformatteerd, endereco, morada, endereco completo,
        formatado
    """,
}  # fmt: skip
# A heading of these words alone, at least one from the first list.
_KINDS: Mapping[str, tuple[str, str]] = {
    "emails": (
        """email emails mail emailadresse mailadresse emailadres courriel courriels messagerie correo electronico
        electronica electronique elettronica eletronico""",
        "address addresses adresse adres direccion indirizzo endereco posta id",
    ),
    "phones": (
        """phone phones telephone tel telefon telefono telefone telefoon fon rufnummer telefonnummer telefoonnummer
        mobile mobilephone mobil mobiltelefon mobilnummer mobiltel cell cellphone cellular handy handynummer autotelefon
        haupttelefon portable movil celular cellulare gsm natel telemovel mobiel mobielnummer landline festnetz fixe
        fijo fisso""",
        "number numbers no nr nummer numero",
    ),
    "websites": (
        "website websites web webseite webseiten webpage homepage url internetseite sito sitio site webpagina",
        "page seite pagina address adresse adres direccion indirizzo endereco internet web url",
    ),
    "country": (
        "country land pays pais paese nazione staat",
        "region regio regione regiao area geografica geografico code name territory",
    ),
    "postcode": (
        "zip zipcode postal postalcode postcode plz postleitzahl cp cap cep codepostal",
        "code codigo codice number postale",
    ),
    "region": (
        """state province region bundesland kanton canton county departement dep etat provincia estado regione regio
        provincie regiao distrito uf stato""",
        "",
    ),
    "city": (
        """city town locality suburb ort stadt wohnort ville commune localite ciudad poblacion localidad citta comune
        localita stad plaats woonplaats cidade municipio concelho""",
        "name",
    ),
    "street": (
        """street strasse str rue calle straat straatnaam rua logradouro via line adresszeile zeile ligne linea regel
        linha""",
        "address adresse adres direccion indirizzo endereco name hausnummer huisnummer nr number numero civico",
    ),
}  # fmt: skip
PARTS = frozenset({"street", "city", "region", "postcode", "country", "box", "extended", "house_number", "address"})
# Which of several is meant. The first word of a line is its name, and what belongs together has one name.
_QUALIFIERS = """
    home private privat privee prive personal personnel personnelle domicile particular casa residencial thuis
        abitazione personale residence pessoal
    work business office geschaftlich geschaft geschafts dienstlich beruflich buro professionnel professionnelle bureau
        travail trabajo oficina laboral lavoro ufficio werk zakelijk kantoor trabalho comercial profesional profissional
    other weitere weiterer weiteres andere sonstige autre otro otra altro altra anders overig overige outro outra
    main primary haupt primare primarer principal principale primaire primaria primario hoofd default preferred direct
        current
    second secondary sekundare sekundarer zweite alternate alternative additional secondaire secundario secundaria
        secondario secundair
    mailing
    billing rechnung facturation facturacion fatturazione factuur
    shipping delivery lieferung livraison envio
    person contact kontakt contacto contatto contato customer kunde client klant cliente lead record
"""
_QUALIFIER = {word: line.split()[0] for line in re.split(r"\n    (?! )", _QUALIFIERS) for word in line.split()}
_LONGEST_FIRST = sorted(_QUALIFIER, key=len, reverse=True)
_JOINING, _BESIDE, _VALUE, _ADDRESS, _ORGANIZATION = (
    frozenset(listed.split())
    for listed in (
        """a and d da das de del dell della der des di die do dos du e el en et l la le les los o of oder or ou r s the
        und van y""",
        "type typ label labels libelle etiquette etiqueta etichetta tipo rotulo marcador beschriftung",
        "value wert valeur valor valore waarde",
        "address adresse anschrift direccion indirizzo adres endereco morada domicilio",
        """organization organisation company account firma firmen unternehmen societe entreprise empresa azienda
        bedrijf organisatie organizacion organizzazione organizacao""",
    )
)
_OF_ORGANIZATION = {"name": "company", "title": "job_title"}
_NUMBER = re.compile(r"[1-9][0-9]?")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_MAIL = re.compile(r"\be[\s_-]?(mail|post)", re.IGNORECASE)
_ELIDED = re.compile(r"\b([ld])['’]", re.IGNORECASE)  # noqa: RUF001 - each is typed as an apostrophe


@dataclass(frozen=True, slots=True)
class Heading:
    """A field; which of several, by word and number; and whether a neighbour's type stands here, not its value."""

    field: str
    group: str = ""
    number: int = 1
    is_last: bool = False
    is_beside: bool = False


def _key(parts: list[str]) -> str:
    return "".join(part for part in parts if part not in _JOINING)


_PHRASE = {_key(words(phrase)): field for field, listed in _PHRASES.items() for phrase in listed.split(",")}
_KIND = {
    field: (frozenset(some.split()), frozenset((some + " " + more).split())) for field, (some, more) in _KINDS.items()
}


@lru_cache(maxsize=4096)
def meaning(text: str) -> Heading | None:
    """Tell what a heading means; None where a word of it is not known."""
    parts = [
        part for part in words(_HUMP.sub(" ", _ELIDED.sub(r"\1 ", _MAIL.sub("email", text)))) if part not in _JOINING
    ]
    numbers = [int(part) for part in parts if _NUMBER.fullmatch(part)]
    is_last = bool(numbers) and parts[-1] == str(numbers[-1])
    parts = [part for part in parts if not _NUMBER.fullmatch(part) and part not in _VALUE]
    plain = [part for part in parts if part not in _BESIDE]
    # `Person - Label` is about the person: only at an end, and beside what it is the type of.
    is_beside = len(parts) > 1 and plain in (parts[:-1], parts[1:])
    field, group = _field(plain if is_beside else parts)
    if field is None:
        return None
    return Heading(field, group, numbers[0] if numbers else 1, is_last, is_beside)


def _field(parts: list[str]) -> tuple[str | None, str]:
    """Look words up as they are, then without those that say which of several is meant."""
    if found := _known(parts):
        return found, ""
    plain = [part for part in parts if part not in _QUALIFIER]
    group = next((_QUALIFIER[part] for part in parts if part in _QUALIFIER), "")
    if group and (found := _known(plain)):
        return found, group
    for named, rest in ((plain[:1], plain[1:]), (plain[-1:], plain[:-1])):
        if rest and named[0] in _ORGANIZATION and (found := _known(rest)):
            return _OF_ORGANIZATION.get(found, found), group or "work"
    if len(plain) > 1 and plain[0] in _ADDRESS and (found := _known(plain[1:])) in PARTS:
        return found, group
    if len(plain) == 1 and not group:
        return _joined(plain[0])
    return None, ""


def _known(parts: list[str]) -> str | None:
    """Look words up as a phrase, then by their kinds."""
    if found := _PHRASE.get("".join(parts)):
        return found
    given = frozenset(parts)
    return next((field for field, (some, any_) in _KIND.items() if given & some and given <= any_), None)


def _joined(word: str) -> tuple[str | None, str]:
    """Take a word apart that two were joined to: `MAILINGCITY`, `Privatadresse`."""
    for qualifier in _LONGEST_FIRST:
        for rest in (word.removeprefix(qualifier), word.removesuffix(qualifier)):
            if rest not in {word, ""} and (found := _known([rest])):
                return found, _QUALIFIER[qualifier]
    return None, ""
