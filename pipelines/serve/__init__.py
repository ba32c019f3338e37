"""The reading room: the corpus as pages for a browser, and as feeds, on this machine.

A page is a question to the corpus (`pipelines.store.room`), a view that shapes the answer, and a template. Views are plain functions;
Starlette, Jinja and uvicorn are imported in this package and nowhere else, and only when somebody serves. Nothing here writes to the
corpus, and no request leaves the machine.
"""
