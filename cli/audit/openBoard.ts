import { say } from '../terminal/output.js';

/** The command that opens the findings of a scan in the browser. */
export const boardCommand = (scan: string): string => `npx partloop board ${scan}`;

/** The place where people answer the findings of a scan: a command that ends with findings points there by this. */
export function openBoard(scan: string): void {
  say('Answer the findings in the browser:', `  ${boardCommand(scan)}`);
}
