import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, ROOT, runStep, SetupError, sha256, VENV } from './shell.mjs';

const CANDIDATES = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'];
const PROBE = `
import json, sys, importlib.util as u
print(json.dumps({"version": list(sys.version_info[:3]), "path": sys.executable, "venv": u.find_spec("venv") is not None,
"ensurepip": u.find_spec("ensurepip") is not None, "pip": u.find_spec("pip") is not None}))`;
/** PyTorch's own index of CPU builds; a mirror can be named instead. */
const TORCH_INDEX = process.env.PARTLOOP_TORCH_INDEX || 'https://download.pytorch.org/whl/cpu';
const PROBE_SECONDS = 5;
const VENV_PYTHON = join(VENV, 'bin', 'python');
const UV = join(VENV, 'bin', 'uv');
const STAMP = join(VENV, 'partloop.json');

export const lockPath = (flavour) => join(ROOT, 'trainer', `requirements-${flavour}.lock.txt`);
const lockDigest = (flavour) => sha256(readFileSync(lockPath(flavour)));
const trainerDigest = () => sha256(readFileSync(join(ROOT, 'trainer', 'pyproject.toml')), VENV);

function readStamp() {
  if (!existsSync(STAMP) || !existsSync(VENV_PYTHON)) return {};
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return {};
  }
}

export function venvIsCurrent() {
  const { flavour, lock } = readStamp();
  return (flavour === 'cpu' || flavour === 'default') && lock === lockDigest(flavour);
}

export const trainerIsCurrent = () => readStamp().trainer === trainerDigest();

/** The newest Python from 3.10 on that can make a virtual environment; else one sentence that says what to do. */
export function findPython() {
  const asked = process.env.PARTLOOP_PYTHON;
  const found = (!asked ? CANDIDATES : [asked]).flatMap((name) => {
    const answer = ask(name, ['-c', PROBE]);
    return answer === null ? [] : [JSON.parse(answer)];
  });
  const isNewEnough = ({ version: [major, minor] }) => major === 3 && minor >= 10;
  const usable = found.filter(isNewEnough);
  if (usable.length === 0) {
    const best = found[0] === undefined ? 'No Python was found' : `Python ${found[0].version.join('.')} is too old`;
    throw new SetupError(
      `${best}: install Python 3.10 or newer (on Debian and Ubuntu: apt install python3 python3-venv) and run the same command again.`,
    );
  }
  const complete = usable.find(({ venv, ensurepip, pip }) => venv && (ensurepip || pip));
  if (complete === undefined) {
    const [major, minor] = usable[0].version;
    throw new SetupError(
      `Python ${major}.${minor} lacks venv and pip: install them (on Debian and Ubuntu: apt install python${major}.${minor}-venv) and run the same command again.`,
    );
  }
  return complete;
}

/** CPU builds where their index answers within seconds and no NVIDIA GPU would be left unused. */
export async function chooseFlavour(python) {
  const asked = process.env.PARTLOOP_TORCH;
  if (asked === 'cpu' || asked === 'default') return asked;
  if (asked) throw new SetupError(`PARTLOOP_TORCH is \`${asked}\`, but must be \`cpu\` or \`default\`.`);
  if (!URL.canParse(TORCH_INDEX))
    throw new SetupError(`PARTLOOP_TORCH_INDEX is \`${TORCH_INDEX}\`, but must be an address.`);
  const [, minor] = python.version;
  const hasCpuBuild = process.platform === 'linux' && minor >= 11 && minor <= 13;
  if (!hasCpuBuild || existsSync('/proc/driver/nvidia/version')) return 'default';
  try {
    const answer = await fetch(`${TORCH_INDEX}/torch/`, {
      method: 'HEAD',
      signal: AbortSignal.timeout(PROBE_SECONDS * 1000),
    });
    return answer.ok ? 'cpu' : 'default';
  } catch {
    return 'default';
  }
}

/** `.venv` with uv inside, its version and hash from the lock. */
export async function makeVenv(python) {
  rmSync(VENV, { recursive: true, force: true });
  const withPip = python.ensurepip ? [] : ['--without-pip'];
  await runStep('Making .venv', python.path, ['-m', 'venv', ...withPip, VENV]);
  const pip = python.ensurepip ? [VENV_PYTHON, '-m', 'pip'] : [python.path, '-m', 'pip', '--python', VENV_PYTHON];
  const folder = mkdtempSync(join(tmpdir(), 'partloop-'));
  const requirement = join(folder, 'uv.txt');
  try {
    const blocks = readFileSync(lockPath('default'), 'utf8').split(/\n(?=\S)/);
    writeFileSync(requirement, `${blocks.find((block) => block.startsWith('uv=='))}\n`);
    const [command, ...args] = [...pip, 'install', '--quiet', '--require-hashes', '--no-deps', '-r', requirement];
    await runStep('Installing uv', command, args);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const hasUv = () =>
  existsSync(VENV_PYTHON) && ask(UV, ['--version']) !== null && existsSync(join(VENV, 'pyvenv.cfg'));

/** Bring `.venv` to exactly what the lock names; every file is checked against its hash. */
export async function syncVenv(flavour) {
  // The CPU index also carries old builds of other packages, so all indexes are asked; the hashes decide what is taken.
  const index = flavour === 'cpu' ? ['--index', TORCH_INDEX, '--index-strategy', 'unsafe-best-match'] : [];
  await runStep(
    'uv pip sync',
    UV,
    ['pip', 'sync', '--require-hashes', '--python', VENV_PYTHON, ...index, lockPath(flavour)],
    {
      env: uvEnvironment(),
    },
  );
  writeFileSync(STAMP, JSON.stringify({ flavour, lock: lockDigest(flavour) }));
}

/** The trainer as an editable install; its build backend is in the lock, so nothing is fetched. */
export async function installTrainer() {
  const args = [
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--no-build-isolation',
    '--python',
    VENV_PYTHON,
    '--editable',
    join(ROOT, 'trainer'),
  ];
  await runStep('Installing trainer/', UV, args, { env: uvEnvironment() });
  writeFileSync(STAMP, JSON.stringify({ ...readStamp(), trainer: trainerDigest() }));
}

/** uv downloads no Python, and asks the mirror that pip was told to ask. */
function uvEnvironment() {
  const { PIP_INDEX_URL, UV_DEFAULT_INDEX, ...rest } = process.env;
  const index = UV_DEFAULT_INDEX ?? PIP_INDEX_URL;
  return {
    ...rest,
    UV_PYTHON_DOWNLOADS: 'never',
    VIRTUAL_ENV: VENV,
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
  };
}
