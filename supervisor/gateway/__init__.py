"""The web gateway: a subscriber like any other that tells browsers and HTTP clients what it hears."""
