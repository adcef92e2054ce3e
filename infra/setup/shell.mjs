import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const VENV = join(ROOT, '.venv');

/** What the person has to do, in one sentence; the set-up stops with it and no stack trace. */
export class SetupError extends Error {}

const NO_NETWORK =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|dns error|name resolution|[Cc]onnection (?:refused|reset|timed out)|NewConnectionError|error sending request|[Ff]ailed to fetch/;
const NO_SPACE = /ENOSPC|[Nn]o space left/;

/** Run a step of the set-up: quiet when it works, its last lines and one sentence when it does not. */
export function runStep(what, command, args, options = {}) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const lines = [];
    const keep = (chunk) => {
      lines.push(chunk.toString());
      if (lines.length > 400) lines.shift();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => failed(new SetupError(`${what} could not start: ${error.message}`)));
    child.on('close', (code) => {
      const said = lines.join('');
      if (code === 0) done(said);
      else failed(new SetupError(`${said.trimEnd().slice(-4000)}\n\n${sentenceFor(what, said, code)}`));
    });
  });
}

function sentenceFor(what, said, code) {
  if (NO_SPACE.test(said)) return `${what} ran out of disk space: free some and run the same command again.`;
  if (NO_NETWORK.test(said)) {
    return `${what} could not reach the package registry: check the network (or the proxy and mirror settings of npm and pip) and run the same command again.`;
  }
  return `${what} failed with exit code ${code}; its last lines are above.`;
}

/** Standard output of a short command, or null where it fails or is missing. */
export function ask(command, args) {
  const answer = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return answer.status === 0 ? answer.stdout.trim() : null;
}

export const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};
