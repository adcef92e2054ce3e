import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const PACKAGES = ['onnxruntime-node', 'sharp', '@duckdb/node-api'] as const;
const versionSchema = z.object({ version: z.string() });

/** The machine of a measurement, without its name and paths. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  node: string;
  packages: Record<string, string>;
  /** Short id of the commit, with `+` where the tree differs from it; null outside a repository. */
  commit: string | null;
}

export function describeMachine(root: string): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    packages: Object.fromEntries(
      PACKAGES.map((name) => {
        const path = join(root, 'node_modules', name, 'package.json');
        return [name, versionSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).version];
      }),
    ),
    commit: commitOf(root),
  };
}

function commitOf(root: string): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return null;
  }
}

export function machineLine({ processor, cores, memoryGb, node, packages, commit }: Machine): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${processor}, ${cores} cores, ${memoryGb} GB`,
    `Node ${node}`,
    ...versions,
    `commit ${commit ?? 'unknown'}`,
  ].join(' · ');
}
