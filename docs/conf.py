"""How Sphinx makes the site. `scripts/site` starts it, on the pages that it has laid out."""

from pathlib import Path

project = "oidc_core"
extensions = ["myst_parser", "site_extension"]
root_doc = "index"
nitpicky = True
highlight_language = "text"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]

html_theme = "furo"
html_title = "oidc_core"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_search_scorer = str(Path(__file__).with_name("search_scorer.js"))
templates_path = ["_templates"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_use_index = False
html_theme_options = {"top_of_page_buttons": []}
