/**
 * Give package-lock.json the entries that npm left out: `node infra/setup/completeLock.mjs`, after every change of the
 * lock.
 *
 * npm writes no entry for another platform's package that the registry in use does not hold, and `npm ci` then refuses
 * the lock file everywhere. Such packages are named after their platform and pinned exactly by the package that wants
 * them, which is all that an entry needs; it carries no integrity, since nobody here has seen the file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(resolve(dirname(fileURLToPath(import.meta.url)), '..', '..'), 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
const { packages } = lock;

const OS = /-(android|darwin|freebsd|linux|openharmony|win32)-/;
const CPU = /-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-|$)/;
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** The place in the tree that `from` would load `name` from, by Node's own rule; undefined where there is none. */
function placeOf(from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[place] !== undefined || at === '') return packages[place] === undefined ? undefined : place;
  }
}

const added = {};
for (const [from, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (placeOf(from, name) !== undefined) continue;
    const [, os] = name.match(OS) ?? [];
    const [, cpu] = name.match(CPU) ?? [];
    if (os === undefined || cpu === undefined || !EXACT.test(version)) {
      throw new Error(`${from} wants ${name}@${version}, which cannot be completed from its name`);
    }
    const libc = os === 'linux' && { libc: [name.includes('musl') ? 'musl' : 'glibc'] };
    const entry = { version, cpu: [cpu], ...(dev && { dev }), ...libc, optional: true, os: [os] };
    added[`node_modules/${name}`] = entry;
  }
}

const sorted = Object.entries({ ...packages, ...added }).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
process.stdout.write(`${Object.keys(added).length} entries added\n`);
