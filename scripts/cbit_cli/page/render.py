"""Templates of pages."""

import jinja2

__all__ = ["render"]


def render(template: str, **values: object) -> str:
    """A page from a template, named by its path in this package; values are escaped."""
    environment = jinja2.Environment(loader=jinja2.PackageLoader("cbit_cli", ""), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(template).render(**values)
