"""The timeline as a figure, with matplotlib: lanes on one axis, for slides, papers and notebooks."""
