"""Tables as other programs shape them, in their languages: everybody with every field, and nothing written for any.

The people are made up; the headings are published:

- HubSpot: the labels of properties and of associated records, https://developers.hubspot.com/docs/api/crm/exports
- Salesforce: names (data loader) and labels (report) of the fields of a contact,
  https://developer.salesforce.com/docs/atlas.en-us.248.0.object_reference.meta/object_reference/sforce_api_objects_contact.htm
- Zoho: the fields of a contact, https://desk.zoho.com/portal/ubicorp/en/kb/articles/crm-modules-fields
- Pipedrive: the fields by category, https://support.pipedrive.com/it/article/import-fields; each behind its category's
  name, as files of other people show it
- Thunderbird: its own test of the export,
  https://github.com/mozilla/releases-comm-central/blob/master/mailnews/addrbook/test/unit/data/export.csv
- Outlook in German and French: as Exchange's importer lists them (`ImportContactProperties`)
- Google: its export in English, and that in French word for word; no page shows the French one

The others (Spanish, Italian, Dutch, Portuguese, address lines) are no program's: tables as people make them.
"""

# ruff: noqa: E501

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contacts.imported import imported, rehearse
from tests.product import Product

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """One export: its lines, how they are written, who stands in it, and which columns say what is not kept."""

    lines: str
    people: list[Fields]
    unknown: list[str] = field(default_factory=list)
    encoding: str = "utf-8"
    end: str = "\r\n"

    def data(self) -> bytes:
        return self.end.join([*self.lines.strip().splitlines(), ""]).encode(self.encoding)


HUBSPOT = Export(
    """
"Record ID","First Name","Last Name","Email","Phone Number","Mobile Phone Number","Contact owner","Primary Associated Company ID","Associated Company","Job Title","Street Address","City","State/Region","Postal Code","Country/Region","Website URL","Preferred language","Lead Status","Create Date"
"101","Ida","Fernhollow","ida@fernhollow.example","+44 20 7946 0301","","Sam Seller","77","Fernhollow Ltd","Buyer","1 Sample Lane","London","","EC1A 1BB","United Kingdom","https://fernhollow.example","English","New","2026-01-02 10:00"
"102","Jorun","Bakkelund","","","+47 22 00 00 00","","","","","","","","","Norway","","nb","","2026-01-02 10:00"
""",
    [
        {
            "given_name": "Ida", "family_name": "Fernhollow", "company": "Fernhollow Ltd", "job_title": "Buyer",
            "emails": ["ida@fernhollow.example"], "phones": ["+44 20 7946 0301"], "language": "English",
            "addresses": [
                {"street": "1 Sample Lane", "city": "London", "postcode": "EC1A 1BB", "country": "United Kingdom"}
            ],
            "profile": {"websites": ["https://fernhollow.example"]},
        },
        {
            "given_name": "Jorun", "family_name": "Bakkelund", "phones": ["+47 22 00 00 00"], "language": "nb",
            "addresses": [{"country": "Norway"}],
        },
    ],
    ["Record ID", "Contact owner", "Primary Associated Company ID", "Lead Status", "Create Date"],
)  # fmt: skip
SALESFORCE_REPORT = Export(
    """
"Salutation","First Name","Last Name","Title","Account Name","Mailing Street","Mailing City","Mailing State/Province","Mailing Zip/Postal Code","Mailing Country","Phone","Fax","Mobile","Email","Account Owner"
"Ms.","Kirsi","Lahdensuo","Head of Purchasing","Lahdensuo Oy","Esimerkkikatu 1
2. kerros","Helsinki","","00100","Finland","+358 9 1234567","+358 9 1234568","","kirsi@lahdensuo.example","Sam Seller"
""",
    [
        {
            "given_name": "Kirsi", "family_name": "Lahdensuo", "job_title": "Head of Purchasing",
            "company": "Lahdensuo Oy", "emails": ["kirsi@lahdensuo.example"], "phones": ["+358 9 1234567"],
            "addresses": [
                {"street": "Esimerkkikatu 1\n2. kerros", "city": "Helsinki", "postcode": "00100", "country": "Finland"}
            ],
        }
    ],
    ["Salutation", "Fax", "Account Owner"],
    end="\n",
)  # fmt: skip
SALESFORCE_LOADER = Export(
    """
"ID","LASTNAME","FIRSTNAME","NAME","OTHERSTREET","OTHERCITY","MAILINGSTREET","MAILINGCITY","MAILINGSTATE","MAILINGPOSTALCODE","MAILINGCOUNTRY","PHONE","MOBILEPHONE","HOMEPHONE","EMAIL","TITLE","DESCRIPTION","BIRTHDATE","OWNERID"
"003A","Lindenquist","Leo","Leo Lindenquist","","","2 Placeholder Road","Springfield","IL","62701","US","202-555-0101","202-555-0102","202-555-0103","leo@lindenquist.example","Engineer","Met in May","1980-05-06","005B"
""",
    [
        {
            "given_name": "Leo", "family_name": "Lindenquist", "job_title": "Engineer",
            "emails": ["leo@lindenquist.example"], "phones": ["202-555-0101", "202-555-0102", "202-555-0103"],
            "addresses": [
                {"street": "2 Placeholder Road", "city": "Springfield", "region": "IL", "postcode": "62701",
                 "country": "US"}
            ],
            "profile": {"birthday": "1980-05-06", "note": "Met in May"},
        }
    ],
    ["ID", "OWNERID"],
)  # fmt: skip
ZOHO = Export(
    """
Record Id,Contact Owner,Lead Source,First Name,Last Name,Account Name,Email,Title,Department,Phone,Home Phone,Other Phone,Fax,Mobile,Date of Birth,Assistant,Asst Phone,Email Opt Out,Skype ID,Secondary Email,Reports To,Mailing Street,Other Street,Mailing City,Other City,Mailing State,Other State,Mailing Zip,Other Zip,Mailing Country,Other Country,Description
zcrm_1,Sam Seller,Fair,Mira,Oakhampton,Oak & Sons,mira@oak.example,Owner,,+1 202 555 0104,,,,+1 202 555 0105,1979-01-02,Pat Helper,+1 202 555 0199,false,,mira2@oak.example,,3 Muster Weg,4 Other Way,Berlin,Bern,,BE,10115,3000,Germany,Switzerland,Likes tea
""",
    [
        {
            "given_name": "Mira", "family_name": "Oakhampton", "company": "Oak & Sons", "job_title": "Owner",
            "emails": ["mira@oak.example", "mira2@oak.example"], "phones": ["+1 202 555 0104", "+1 202 555 0105"],
            "addresses": [
                {"street": "3 Muster Weg", "city": "Berlin", "postcode": "10115", "country": "Germany"},
                {"street": "4 Other Way", "city": "Bern", "region": "BE", "postcode": "3000",
                 "country": "Switzerland"},
            ],
            "profile": {"birthday": "1979-01-02", "note": "Likes tea"},
        }
    ],
    ["Record Id", "Contact Owner", "Lead Source", "Assistant", "Asst Phone", "Email Opt Out"],
)  # fmt: skip
PIPEDRIVE = Export(
    """
Person - Name,Person - Label,Person - Owner,Person - Organization,Person - Email - Work,Person - Email - Home,Person - Email - Other,Person - Phone - Work,Person - Phone - Home,Person - Phone - Mobile,Person - Phone - Other,Person - Marketing status,Person - ID
Nils van der Meerhof,Hot lead,Sam Seller,Meerhof BV,nils@meerhof.example,nils.home@meerhof.example,,+31 20 123 4567,,+31 6 12345678,,No consent,7
Odile,,,,,,odile@example.org,,,,,,8
""",
    [
        {
            "given_name": "Nils", "family_name": "van der Meerhof", "company": "Meerhof BV",
            "emails": ["nils@meerhof.example", "nils.home@meerhof.example"],
            "phones": ["+31 20 123 4567", "+31 6 12345678"],
        },
        {"given_name": "Odile", "emails": ["odile@example.org"]},
    ],
    ["Person - Label", "Person - Owner", "Person - Marketing status", "Person - ID"],
)  # fmt: skip
PIPEDRIVE_PARTS = Export(
    """
Person - First name,Person - Last name,Person - Name,Person - Title,Person - Organization,Person - Email - Work,Person - Website,Person - City,Person - State
Maj,Ekebladh,Maj Ekebladh,Planner,Ekebladh AB,maj@ekebladh.example,https://ekebladh.example,Lund,
""",
    [
        {
            "given_name": "Maj", "family_name": "Ekebladh", "job_title": "Planner", "company": "Ekebladh AB",
            "emails": ["maj@ekebladh.example"], "addresses": [{"city": "Lund"}],
            "profile": {"websites": ["https://ekebladh.example"]},
        }
    ],
)  # fmt: skip
THUNDERBIRD = Export(
    """
First Name,Last Name,Display Name,Nickname,Primary Email,Secondary Email,Screen Name,Work Phone,Home Phone,Fax Number,Pager Number,Mobile Number,Home Address,Home Address 2,Home City,Home State,Home ZipCode,Home Country,Work Address,Work Address 2,Work City,Work State,Work ZipCode,Work Country,Job Title,Department,Organization,Web Page 1,Web Page 2,Birth Year,Birth Month,Birth Day,Custom 1,Custom 2,Custom 3,Custom 4,Notes,
Pia,Quarnstrom,Pia Quarnstrom,Pippi,pia@quarnstrom.example,,,+46 8 123 456 78,,,,,Exempelgatan 1,Uppgång B,Stockholm,,111 22,Sweden,,,,,,,Pilot,,Fjord Air,https://a.example,https://b.example,1985,3,9,,,,,Window seat,
""",
    [
        {
            "given_name": "Pia", "family_name": "Quarnstrom", "company": "Fjord Air", "job_title": "Pilot",
            "emails": ["pia@quarnstrom.example"], "phones": ["+46 8 123 456 78"],
            "addresses": [
                {"street": "Exempelgatan 1\nUppgång B", "city": "Stockholm", "postcode": "111 22", "country": "Sweden"}
            ],
            "profile": {
                "nickname": "Pippi", "birthday": "1985-03-09", "note": "Window seat",
                "websites": ["https://a.example", "https://b.example"],
            },
        }
    ],
)  # fmt: skip
THUNDERBIRD_GERMAN = Export(
    """
Vorname;Nachname;Anzeigename;Spitzname;Primäre E-Mail-Adresse;Sekundäre E-Mail-Adresse;Messenger-Name;Tel. dienstlich;Tel. privat;Fax-Nummer;Pager-Nummer;Mobil-Tel.-Nr.;Privat: Adresse;Privat: Adresse 2;Privat: Ort;Privat: Bundesland;Privat: PLZ;Privat: Land;Dienstlich: Adresse;Dienstlich: Adresse 2;Dienstlich: Ort;Dienstlich: Bundesland;Dienstlich: PLZ;Dienstlich: Land;Arbeitstitel;Abteilung;Organisation;Webseite 1;Webseite 2;Geburtsjahr;Geburtsmonat;Geburtstag;Benutzerdef. 1;Notizen
Quirin;Rösselberg;;;quirin@roesselberg.example;q2@roesselberg.example;;030 1234567;;;;0171 1234567;;;;;;;Musterstraße 5;Hinterhaus;München;Bayern;80331;Deutschland;Einkäufer;Einkauf;Rösselberg GmbH;;;1990;12;24;;
""",
    [
        {
            "given_name": "Quirin", "family_name": "Rösselberg", "company": "Rösselberg GmbH",
            "job_title": "Einkäufer", "emails": ["quirin@roesselberg.example", "q2@roesselberg.example"],
            "phones": ["030 1234567", "0171 1234567"],
            "addresses": [
                {"street": "Musterstraße 5\nHinterhaus", "city": "München", "region": "Bayern", "postcode": "80331",
                 "country": "Deutschland"}
            ],
            "profile": {"birthday": "1990-12-24"},
        }
    ],
    ["Abteilung"],
)  # fmt: skip
OUTLOOK_GERMAN = Export(
    """
"Anrede","Vorname","Weitere Vornamen","Nachname","Suffix","Firma","Abteilung","Position","Straße geschäftlich","Straße geschäftlich 2","Straße geschäftlich 3","Ort geschäftlich","Region geschäftlich","Postleitzahl geschäftlich","Land/Region geschäftlich","Straße privat","Straße privat 2","Straße privat 3","Ort privat","Bundesland/Kanton privat","Postleitzahl privat","Land/Region privat","Weitere Straße","Weitere Straße 2","Weitere Straße 3","Weiterer Ort","Weiteres/r Bundesland/Kanton","Weitere Postleitzahl","Weiteres/e Land/Region","Telefon Assistent","Fax geschäftlich","Telefon geschäftlich","Telefon geschäftlich 2","Rückmeldung","Autotelefon","Telefon Firma","Fax privat","Telefon privat","Telefon privat 2","ISDN","Mobiltelefon","Weiteres Fax","Weiteres Telefon","Pager","Haupttelefon","Mobiltelefon 2","Abrechnungsinformation","Benutzer 1","E-Mail-Adresse","E-Mail-Typ","E-Mail: Angezeigter Name","E-Mail 2: Adresse","E-Mail 2: Typ","E-Mail 2: Angezeigter Name","E-Mail 3: Adresse","E-Mail 3: Typ","Geburtstag","Name Assistent","Name des/der Vorgesetzten","Notizen","Postfach geschäftlich","Sprache","Webseite"
"Frau","Runa","Anna","Süßenbach","","Süßenbach AG","Vertrieb","Leiterin","Weg 1","Halle 3","","Zürich","ZH","8001","Schweiz","Gasse 2","","","Wien","","1010","Österreich","Platz 3","","","Bonn","NW","53111","Deutschland","+41 44 000 00 00","+41 44 000 00 01","+41 44 000 00 02","","","","+41 44 000 00 04","","","","","+41 79 000 00 03","","+41 44 000 00 05","","","","","","runa@suessenbach.example","SMTP","Runa Süßenbach (runa@suessenbach.example)","r2@suessenbach.example","SMTP","","","","0.0.00","Pat Helper","Kim Chief","Ruft
gern zurück","PF 12","Deutsch","https://suessenbach.example"
""",
    [
        {
            "given_name": "Runa Anna", "family_name": "Süßenbach", "company": "Süßenbach AG", "job_title": "Leiterin",
            "emails": ["runa@suessenbach.example", "r2@suessenbach.example"],
            "phones": ["+41 44 000 00 02", "+41 44 000 00 04", "+41 79 000 00 03", "+41 44 000 00 05"],
            "language": "Deutsch",
            "addresses": [
                {"street": "PF 12\nWeg 1\nHalle 3", "city": "Zürich", "region": "ZH", "postcode": "8001",
                 "country": "Schweiz"},
                {"street": "Gasse 2", "city": "Wien", "postcode": "1010", "country": "Österreich"},
                {"street": "Platz 3", "city": "Bonn", "region": "NW", "postcode": "53111", "country": "Deutschland"},
            ],
            "profile": {
                "birthday": "0.0.00", "note": "Ruft\r\ngern zurück", "websites": ["https://suessenbach.example"]
            },
        }
    ],
    [
        "Anrede", "Abteilung", "Telefon Assistent", "Fax geschäftlich", "E-Mail: Angezeigter Name", "Name Assistent",
        "Name des/der Vorgesetzten",
    ],
    encoding="cp1252",
)  # fmt: skip
OUTLOOK_FRENCH = Export(
    """
"Titre";"Prénom";"Deuxième prénom";"Nom";"Suffixe";"Société";"Service";"Titre";"Rue (bureau)";"Rue (bureau) 2";"Rue (bureau) 3";"Ville (bureau)";"Dép/Région (bureau)";"Code postal (bureau)";"Pays/Région (bureau)";"Rue (domicile)";"Ville (domicile)";"Code postal (domicile)";"Pays/Région (domicile)";"Ville (autre)";"Téléphone de l'assistant(e)";"Télécopie (bureau)";"Téléphone (bureau)";"Téléphone 2 (bureau)";"Téléphone société";"Téléphone (domicile)";"Tél. mobile";"Adresse de messagerie";"Type de messagerie";"Nom complet de l'adresse de messagerie";"Adresse de messagerie 2";"Anniversaire";"Enfants";"Nom de l'assistant(e)";"Notes";"Page Web";"Responsable"
"Mme";"Solveig";"Inès";"Brocardière";"";"Brocardière SA";"Achats";"Acheteuse";"1 rue du Gabarit";"Bâtiment C";"";"Lyon";"Rhône";"69001";"France";"2 place Neuve";"Genève";"1201";"Suisse";"";"+33 1 70 18 00 09";"+33 1 70 18 00 08";"+33 1 70 18 00 00";"";"+33 1 70 18 00 01";"";"+33 6 12 34 56 78";"solveig@brocardiere.example";"SMTP";"Solveig Brocardière";"s2@brocardiere.example";"04/05/1981";"Non";"Pat Helper";"Rappeler";"https://brocardiere.example";"Kim Chief"
""",
    [
        {
            "given_name": "Solveig Inès", "family_name": "Brocardière", "company": "Brocardière SA",
            "job_title": "Acheteuse", "emails": ["solveig@brocardiere.example", "s2@brocardiere.example"],
            "phones": ["+33 1 70 18 00 00", "+33 1 70 18 00 01", "+33 6 12 34 56 78"],
            "addresses": [
                {"street": "1 rue du Gabarit\nBâtiment C", "city": "Lyon", "region": "Rhône", "postcode": "69001",
                 "country": "France"},
                {"street": "2 place Neuve", "city": "Genève", "postcode": "1201", "country": "Suisse"},
            ],
            "profile": {
                "birthday": "04/05/1981", "note": "Rappeler", "websites": ["https://brocardiere.example"]
            },
        }
    ],
    [
        "Titre", "Service", "Téléphone de l'assistant(e)", "Télécopie (bureau)", "Nom complet de l'adresse de messagerie",
        "Enfants", "Nom de l'assistant(e)", "Responsable",
    ],
    encoding="cp1252",
)  # fmt: skip
GOOGLE_FRENCH = Export(
    """
Prénom,Deuxième prénom,Nom,Prénom phonétique,Surnom,Nom de l'organisation,Titre de l'organisation,Anniversaire,Notes,Photo,Libellés,E-mail 1 - Libellé,E-mail 1 - Valeur,E-mail 2 - Libellé,E-mail 2 - Valeur,Téléphone 1 - Libellé,Téléphone 1 - Valeur,Adresse 1 - Libellé,Adresse 1 - Formatée,Adresse 1 - Rue,Adresse 1 - Ville,Adresse 1 - Boîte postale,Adresse 1 - Région,Adresse 1 - Code postal,Adresse 1 - Pays,Site Web 1 - Valeur
Sidonie,Anne,d'Orvillac,,Sido,Orvillac SARL,Acheteuse,1981-04-05,,,* myContacts,* Work,sidonie@orvillac.example ::: s2@orvillac.example,Autre,s3@orvillac.example,Mobile,+33 1 70 18 00 00 ::: +33 1 70 18 00 01,Domicile,"5 rue du Modèle
75001 Paris
France",5 rue du Modèle,Paris,,Île-de-France,75001,France,https://orvillac.example
""",
    [
        {
            "given_name": "Sidonie Anne", "family_name": "d'Orvillac", "company": "Orvillac SARL",
            "job_title": "Acheteuse",
            "emails": ["sidonie@orvillac.example", "s2@orvillac.example", "s3@orvillac.example"],
            "phones": ["+33 1 70 18 00 00", "+33 1 70 18 00 01"],
            "addresses": [
                {"street": "5 rue du Modèle", "city": "Paris", "region": "Île-de-France", "postcode": "75001",
                 "country": "France"}
            ],
            "profile": {"nickname": "Sido", "birthday": "1981-04-05", "websites": ["https://orvillac.example"]},
        }
    ],
    ["Libellés"],
    encoding="utf-8-sig",
    end="\n",
)  # fmt: skip
GOOGLE_TWO_ADDRESSES = Export(
    """
Name,Given Name,Family Name,Address 1 - Type,Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,Address 1 - Country,Address 1 - Extended Address,Address 2 - Formatted,Address 2 - Street,Address 2 - City,Address 2 - Country
Tilda Ulvaeng,Tilda,Ulvaeng,Home,"1 A Street
Town A",1 A Street,Town A,,,1000,DE,Flat 2,"2 B Street
Town B, Congo",,,Congo
Acme,,,,,,,,,,,,,,,
""",
    [
        {
            "given_name": "Tilda", "family_name": "Ulvaeng",
            "addresses": [
                {"street": "Flat 2\n1 A Street", "city": "Town A", "postcode": "1000", "country": "DE"},
                {"street": "2 B Street\nTown B, Congo", "country": "Congo"},
            ],
        },
        {"given_name": "Acme"},
    ],
    end="\n",
)  # fmt: skip
SPANISH = Export(
    """
Nombre|Segundo nombre|Apellidos|Organización|Puesto|Calle del trabajo|Ciudad del trabajo|Provincia o estado del trabajo|Código postal del trabajo|País o región del trabajo|Teléfono del trabajo|Móvil|Dirección de correo electrónico|Cumpleaños|Notas|Idioma
Úrsula|María|Valdepeñas Ruiz|Costa Azul|Jefa de compras|Calle Falsa 1|Sevilla|Sevilla|41001|España|+34 910 000 000|+34 600 000 000|ursula@costaazul.example|2/3/1980|Llamar por la tarde|Español
""",
    [
        {
            "given_name": "Úrsula María", "family_name": "Valdepeñas Ruiz", "company": "Costa Azul",
            "job_title": "Jefa de compras", "emails": ["ursula@costaazul.example"],
            "phones": ["+34 910 000 000", "+34 600 000 000"], "language": "Español",
            "addresses": [
                {"street": "Calle Falsa 1", "city": "Sevilla", "region": "Sevilla", "postcode": "41001",
                 "country": "España"}
            ],
            "profile": {"birthday": "2/3/1980", "note": "Llamar por la tarde"},
        }
    ],
)  # fmt: skip
ITALIAN = Export(
    """
Nome;Cognome;Azienda;Qualifica;Indirizzo;Città;Provincia;CAP;Paese;Telefono;Cellulare;Indirizzo di posta elettronica;Data di nascita;Note;Lingua
Vito;Zafferani;Zafferani S.r.l.;Responsabile acquisti;Via Esempio 7;Bologna;BO;40121;Italia;+39 051 000000;+39 333 0000000;vito@zafferani.example;1.2.1970;;it
""",
    [
        {
            "given_name": "Vito", "family_name": "Zafferani", "company": "Zafferani S.r.l.",
            "job_title": "Responsabile acquisti", "emails": ["vito@zafferani.example"],
            "phones": ["+39 051 000000", "+39 333 0000000"], "language": "it",
            "addresses": [
                {"street": "Via Esempio 7", "city": "Bologna", "region": "BO", "postcode": "40121", "country": "Italia"}
            ],
            "profile": {"birthday": "1.2.1970"},
        }
    ],
    encoding="utf-16",
)  # fmt: skip
DUTCH = Export(
    """
Voornaam\tTussenvoegsel\tAchternaam\tBedrijf\tFunctie\tStraat\tHuisnummer\tPostcode\tWoonplaats\tLand\tTelefoonnummer\tMobiel nummer\tE-mailadres\tOpmerkingen\tTaal
Wilma\tvan den\tAkkerboom\tAkkerboom BV\tInkoper\tVoorbeeldstraat\t12a\t1011 AB\tAmsterdam\tNederland\t+31 20 000 0000\t+31 6 00000000\twilma@akkerboom.example\tVaste klant\tNederlands
""",
    [
        {
            "given_name": "Wilma", "family_name": "van den Akkerboom", "company": "Akkerboom BV",
            "job_title": "Inkoper", "emails": ["wilma@akkerboom.example"],
            "phones": ["+31 20 000 0000", "+31 6 00000000"], "language": "Nederlands",
            "addresses": [
                {"street": "Voorbeeldstraat 12a", "city": "Amsterdam", "postcode": "1011 AB", "country": "Nederland"}
            ],
            "profile": {"note": "Vaste klant"},
        }
    ],
)  # fmt: skip
PORTUGUESE = Export(
    """
sep=;
Nome;Sobrenome;Apelido;Empresa;Cargo;Rua;Cidade;Estado;CEP;País;Telefone;Celular;E-mail;Data de nascimento;Observações
Xavier;Brancaleone;Xavi;Brancaleone Lda;Comprador;Rua Exemplo 9;Recife;PE;50000-000;Brasil;+55 81 0000 0000;+55 81 90000 0000;xavier@brancaleone.example;03/04/1982;
""",
    [
        {
            "given_name": "Xavier", "family_name": "Brancaleone", "company": "Brancaleone Lda",
            "job_title": "Comprador", "emails": ["xavier@brancaleone.example"],
            "phones": ["+55 81 0000 0000", "+55 81 90000 0000"],
            "addresses": [
                {"street": "Rua Exemplo 9", "city": "Recife", "region": "PE", "postcode": "50000-000",
                 "country": "Brasil"}
            ],
            "profile": {"nickname": "Xavi", "birthday": "03/04/1982"},
        }
    ],
)  # fmt: skip
LINES = Export(
    """
Customer name,E-Mail,Address1,Address2,City,Zip
"Yonder, Zoe","Zoe Yonder <zoe@yonder.example>; z2@yonder.example",1 High St,Floor 2,York,YO1
""",
    [
        {
            "given_name": "Zoe", "family_name": "Yonder", "emails": ["zoe@yonder.example", "z2@yonder.example"],
            "addresses": [{"street": "1 High St\nFloor 2", "city": "York", "postcode": "YO1"}],
        }
    ],
)  # fmt: skip
EXPORTS = {
    "HubSpot": HUBSPOT, "Salesforce, report": SALESFORCE_REPORT, "Salesforce, data loader": SALESFORCE_LOADER,
    "Zoho": ZOHO, "Pipedrive": PIPEDRIVE, "Pipedrive, names in parts": PIPEDRIVE_PARTS, "Thunderbird": THUNDERBIRD, "Thunderbird, German": THUNDERBIRD_GERMAN,
    "Outlook, German": OUTLOOK_GERMAN, "Outlook, French": OUTLOOK_FRENCH, "Google, French": GOOGLE_FRENCH, "Google, two addresses": GOOGLE_TWO_ADDRESSES,
    "Spanish": SPANISH, "Italian": ITALIAN, "Dutch": DUTCH, "Portuguese": PORTUGUESE, "address lines": LINES,
}  # fmt: skip


# By their codes: the language, and the country of the first address that says a clear one.
CODES: dict[str, list[dict[str, str]]] = {
    "HubSpot": [{"language": "en", "country": "GB"}, {"language": "nb", "country": "NO"}],
    "Salesforce, report": [{"country": "FI"}], "Salesforce, data loader": [{"country": "US"}],
    "Zoho": [{"country": "DE"}], "Thunderbird": [{"country": "SE"}], "Thunderbird, German": [{"country": "DE"}],
    "Outlook, German": [{"language": "de", "country": "CH"}], "Outlook, French": [{"country": "FR"}],
    "Google, French": [{"country": "FR"}], "Google, two addresses": [{"country": "DE"}, {}],
    "Spanish": [{"language": "es", "country": "ES"}], "Italian": [{"language": "it", "country": "IT"}],
    "Dutch": [{"language": "nl", "country": "NL"}], "Portuguese": [{"country": "BR"}],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
async def test_everybody_of_an_export_with_every_field(product: Product, name: str) -> None:
    export = EXPORTS[name]

    dry = await rehearse(product, export.data())
    found = await imported(product, export.data())

    codes = CODES.get(name, [{}] * len(export.people))
    assert found == [
        {field: value for field, value in person.items() if field != "language"} | plain
        for person, plain in zip(export.people, codes, strict=True)
    ]
    assert dry["unknown_columns"] == export.unknown
