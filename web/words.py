"""Brings the catalogues up to date: `python -m web.words` on a developer's machine.

Every text of the templates stands in every `locale/<language>.po` afterwards; a new one is empty until somebody
translates it, and one that is gone from the templates is gone there too.
"""

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.language import FOLDER
from web.render import TEMPLATES

WIDTH = 120


def gathered() -> Catalog:
    """Return every text the templates say, in the order they say it."""
    texts = Catalog(fuzzy=False)
    found = extract_from_dir(
        TEMPLATES, [("**.html", "jinja2")], options_map={"**.html": {"trimmed": "true", "silent": "false"}}
    )
    for _, _, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        texts.add(message, None, auto_comments=comments, context=context)
    return texts


def update() -> None:
    """Write every catalogue anew."""
    texts = gathered()
    for file in sorted(FOLDER.glob("*.po")):
        with file.open("rb") as stream:
            catalogue = read_po(stream, locale=file.stem)
        catalogue.update(texts, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with file.open("wb") as stream:
            write_po(stream, catalogue, width=WIDTH, no_location=True, omit_header=True, ignore_obsolete=True)


if __name__ == "__main__":
    update()
