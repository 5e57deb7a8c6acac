"""The look of results, shared with the other rooms."""

from holonomy._core.render import html_table, rich_table

__all__ = ["html_table", "rich_table"]
