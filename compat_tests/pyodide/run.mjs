// node run.mjs PYODIDE_FOLDER TREE SITE imports|tests [ARGS of pytest ...]; see __init__.py.
import { pathToFileURL } from "node:url";

const [pyodide, tree, site, what, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({});
python.mountNodeFS("/tree", tree);
python.mountNodeFS("/site", site);
let code = 2;
try {
  code = python.runPython(`
import sys
# Each module is compiled here, and what was compiled stays here.
sys.pycache_prefix = "/tmp/pycache"
sys.path[:0] = ["/tree", "/site"]
from compat_tests.pyodide import machine
machine.${what}(${JSON.stringify(args)})
`);
} catch (error) {
  // A Python traceback; that of WebAssembly above it says nothing.
  console.log(error.message ?? String(error));
}
process.exit(code);
