"""Python 3.14 as Pyodide has it, in WebAssembly under node: what needs no socket, process or thread runs there.

    npm install pyodide@314.0.7                     # somewhere
    node run.mjs PYODIDE_FOLDER TREE SITE imports   # every module, with warnings as errors
    node run.mjs PYODIDE_FOLDER TREE SITE tests ... # pytest; SITE has it, and hypothesis in pure Python

``nox -s pyodide`` does all of that. `machine` stands in for what a loop has to have of a machine.
"""
