import { say } from '../terminal/output.js';

/** The commands by which the findings of a scan are answered. */
export const boardCommands = (scan: string): string[] => [
  `npx partloop scan export ${scan} --out found/`,
  `npx partloop review import found/findings.csv --scan ${scan}`,
];

/** The place where people answer the findings of a scan: a command that ends with findings points there by this. */
export function openBoard(scan: string): void {
  say(
    'Answer the findings: give `wrong`, `accept`, `right` or `unsure` in the column `verdict` of findings.csv, then import it:',
    ...boardCommands(scan).map((command) => `  ${command}`),
  );
}
