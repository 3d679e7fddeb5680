"""The notes; who wants to hear of new ones."""

notes = []
listeners = set()


def add(author, text):
    note = {"number": len(notes) + 1, "author": author, "text": text}
    notes.append(note)
    for listener in list(listeners):
        listener(note)
    return note
