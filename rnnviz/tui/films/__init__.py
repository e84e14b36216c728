"""The app without a terminal, and films of it: asciicast, and SVG that plays by itself."""
