"""Pictures of what the app shows: text and SVG. They know no app."""
