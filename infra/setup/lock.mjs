/**
 * Make the two hashed lock files of `.venv` from trainer/requirements.in: `node infra/setup/lock.mjs` (needs the
 * network).
 *
 * The default lock holds what the package index serves. The CPU lock is the same set with PyTorch's own CPU builds in
 * place of the default ones and without the CUDA packages that only those need. Neither names a download address.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const lockFile = (name) => join(root, 'trainer', `requirements-${name}.lock.txt`);

/** sha256 of the `+cpu` wheels, CPython 3.11 to 3.13, x86_64 then aarch64, as published with the index. */
const CPU_WHEELS = {
  torch: {
    version: '2.13.0+cpu',
    hashes: [
      '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
      '4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2',
      '3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6',
      '84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7',
      '6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604',
      '0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d',
    ],
  },
  torchvision: {
    version: '0.28.0+cpu',
    hashes: [
      '1dad604dfc0177ecebe0891bd9701fe2c62ec3f7819a247be541b3fb6effee99',
      'b545d46f4d2f9d30381281cf22874bfe1d32a8a7b0ee8396fccde89f30c6a9d9',
      'c6373ec4c2f922e89f45ac91889404d312ba29a31f205b0ad9a725a3894ca246',
      '22958193d72444ed7cbcc665ba4821a31e5279f9c4d1ad08520918b30896b78a',
      '2f768c4f6d5adf6d5535061fd69ec44827608bac0e96e12114942a6fdfce1107',
      '879ae6d4e2e3651582fb7187eafd535601cb5d019595d47e2c874262a000e88e',
    ],
  },
};
const CUDA_ONLY = /^(nvidia-|cuda-|triton==)/;

const compile = ['pip', 'compile', '--quiet', '--universal', '--python-version', '3.10', '--generate-hashes'];
const plain = ['--no-annotate', '--no-header', '--no-emit-index-url'];
const compiled = spawnSync(
  process.env.UV ?? join(root, '.venv', 'bin', 'uv'),
  [...compile, ...plain, join('trainer', 'requirements.in'), '-o', lockFile('default'), ...process.argv.slice(2)],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const blocks = readFileSync(lockFile('default'), 'utf8').split(/\n(?=\S)/);
const cpuBlocks = blocks.flatMap((block) => {
  if (CUDA_ONLY.test(block)) return [];
  const wheels = CPU_WHEELS[block.slice(0, block.indexOf('=='))];
  if (wheels === undefined) return [block.trimEnd()];
  const name = block.slice(0, block.indexOf('=='));
  return [[`${name}==${wheels.version}`, ...wheels.hashes.map((hash) => `    --hash=sha256:${hash}`)].join(' \\\n')];
});
writeFileSync(lockFile('cpu'), `${cpuBlocks.join('\n')}\n`);
