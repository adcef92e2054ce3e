import { openInBrowser } from '../terminal/openInBrowser.js';
import { say } from '../terminal/output.js';

/** The command that opens the findings of a scan in the browser. */
export const boardCommand = (scan: string): string => `npx partloop board ${scan}`;

/**
 * Point to the findings of a scan on the board, and open them where a person looks on.
 *
 * @param board the board of the stack; null if none is known
 */
export function openBoard(board: string | null, scan: string, { open }: { open: boolean }): void {
  if (board === null) {
    say('Answer the findings in the browser:', `  ${boardCommand(scan)}`);
    return;
  }
  const url = `${board}/review/${encodeURIComponent(scan)}`;
  say('Answer the findings in the browser:', `  ${url}`);
  if (open && process.stdout.isTTY) openInBrowser(url);
}
