"""The app in a browser: a web server that opens a terminal for each page, and the app in it."""
