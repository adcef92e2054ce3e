/** Lines as sentences of one paragraph: a failure and its hint where only one line fits. */
export const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/([^\s.!?:;,])\s*\n\s*/g, '$1. ')
    .replace(/\s+/g, ' ');
