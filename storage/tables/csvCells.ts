/**
 * Text that spreadsheets run as a formula, by its first character (OWASP, "CSV Injection"); also after the guarding
 * mark, so that every guarded text reads back to exactly one text.
 */
const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const GUARDED = /^'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** A cell that a spreadsheet shows and never runs: it begins with an apostrophe, which means text in spreadsheets. */
export const guardedCell = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** The text that was guarded; any other text is itself. */
export const unguardedCell = (cell: string): string => (GUARDED.test(cell) ? cell.slice(1) : cell);
