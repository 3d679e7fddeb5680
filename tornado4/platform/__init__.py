"""What differs from one operating system, or event loop, to another. Most programs need nothing from here."""
