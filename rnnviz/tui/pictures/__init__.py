"""Pictures of the app, made by the app itself without a terminal: text, SVG, animated SVG, asciicast."""
