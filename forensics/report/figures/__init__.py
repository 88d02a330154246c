"""Draw figures: values and a layout → one description in pixels, from which a template writes the SVG and `interactive` Plotly's data."""
