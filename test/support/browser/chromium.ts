import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { z } from 'zod';
import { ROOT } from '../binaries.js';

const run = promisify(execFile);

/** The package has a Chromium for this system alone. */
export const hasChromium = process.platform === 'linux' && process.arch === 'x64';

export interface Chromium {
  executablePath: string;
  /** What it needs of its environment: its own libraries and fonts, and a home that is nobody's. */
  env: NodeJS.ProcessEnv;
}

/**
 * The Chromium of `@sparticuz/chromium`, unpacked by the first test that asks for it. Only its archives are used: its
 * own code unpacks to fixed places of the temporary folder, and takes half a file for a whole one.
 */
export async function chromium(): Promise<Chromium> {
  const archives = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', 'bin');
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(archives, '..', 'package.json'), 'utf8')));
  const parent = join(ROOT, '.partloop', 'test', 'chromium');
  const folder = join(parent, version);
  if (!(await exists(folder))) await unpack(archives, parent, folder);
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  };
}

/** Whole before it gets its name, whoever else unpacks meanwhile. */
async function unpack(archives: string, parent: string, folder: string): Promise<void> {
  await mkdir(parent, { recursive: true });
  const own = await mkdtemp(join(parent, 'unpacking-'));
  try {
    await inflate(join(archives, 'chromium.br'), join(own, 'chromium'));
    for (const name of ['al2023', 'fonts']) {
      const tar = join(own, `${name}.tar`);
      await inflate(join(archives, `${name}.tar.br`), tar);
      await mkdir(join(own, name));
      await run('tar', ['-xf', tar, '-C', join(own, name), '--no-same-owner']);
      await rm(tar);
    }
    await writeFile(join(own, 'fonts.conf'), fontsOf(folder));
    await rename(own, folder);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
}

const inflate = (from: string, to: string): Promise<void> =>
  pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));

/** Text looks the same on machines with other fonts, or with none; those of the machine have the rarer characters. */
const fontsOf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, 'fontcache')}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
