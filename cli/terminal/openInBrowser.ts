import { spawn } from 'node:child_process';
import { say } from './output.js';

/** Open a file or an address with the program that the desktop has for it; a machine without one says so. */
export function openInBrowser(place: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(opener, [place], { stdio: 'ignore', detached: true });
  child.once('error', () => say(`Open it in a browser yourself: \`${opener}\` is not installed.`));
  child.unref();
}
