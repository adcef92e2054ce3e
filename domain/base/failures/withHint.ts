/**
 * A failure's message with its hint as the last line, for readers who see the message alone. Some see no line breaks,
 * so the message before the hint ends as a sentence.
 */
export function withHint(message: string, hint: string | null): string {
  if (hint === null || message.endsWith(hint)) return message;
  return `${message}${/[.!?:;,]$/.test(message) ? '' : '.'}\n${hint}`;
}

/** The message that went into `withHint`. */
export function withoutHint(text: string, hint: string | null): string {
  if (hint === null || !text.endsWith(hint)) return text;
  return text
    .slice(0, -hint.length)
    .trimEnd()
    .replace(/([^.])\.$/, '$1');
}
