"""A template reads what its view has, and nothing else; a view's template is there."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from jinja2 import Environment, meta, nodes

import web.routes
from web.render import TEMPLATES, View, environment

for found in pkgutil.iter_modules(web.routes.__path__):
    importlib.import_module(f"web.routes.{found.name}")
importlib.import_module("web.errors")
ENGLISH = environment("en")


def views(of: type[View] = View) -> Iterator[type[View]]:
    for view in of.__subclasses__():
        yield view
        yield from views(view)


VIEWS = {view.__name__: view for view in views() if hasattr(view, "template")}


def named(tree: nodes.Template) -> set[str]:
    """Return every name that the template reads of `view` before it is made another one by a `with`."""
    blocks = [part for block in tree.find_all(nodes.With) for part in block.body]
    within = {id(node) for part in blocks for node in part.find_all(nodes.Getattr)}
    return {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "view" and id(node) not in within
    }


@pytest.mark.parametrize("name", VIEWS)
def test_it_reads_what_the_view_has(name: str) -> None:
    view = VIEWS[name]
    tree = ENGLISH.parse((TEMPLATES / view.template).read_text())
    has = {field.name for field in dataclasses.fields(view)} | {key for key in vars(view) if not key.startswith("_")}

    assert named(tree) <= has


def test_no_template_is_left_over() -> None:
    loaded = {view.template for view in VIEWS.values()}
    for file in TEMPLATES.rglob("*.html"):
        loaded |= set(filter(None, meta.find_referenced_templates(ENGLISH.parse(file.read_text()))))

    assert {str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html")} == loaded


def test_it_sees_a_name_that_is_not_there() -> None:
    tree = Environment(autoescape=True).parse("{{ view.there }} {% if view.gone %}{% endif %}")

    assert named(tree) == {"there", "gone"}
