import { createHash } from 'node:crypto';
import type { Occasion } from '../../domain/notify/occasion.js';

/** What links of a message start with. */
export interface Links {
  /** `s3://bucket/prefix` of the store. */
  storeUri: string;
  /** Address of Temporal's Web UI; null if none is known. */
  uiUrl: string | null;
  namespace: string;
}

/** A message as it is sent: the same id and body whenever the same occasion is told again at the same time. */
export interface Message {
  id: string;
  body: string;
}

/** The message of an occasion: chat tools read `text`; the other fields are those of Standard Webhooks. */
export function messageOf(occasion: Occasion, { storeUri, uiUrl, namespace }: Links, now = new Date()): Message {
  const { event, loop, iteration, workflowId, of, text, figures, report } = occasion;
  const workflow = `/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  const temporal = uiUrl === null ? null : `${uiUrl}${workflow}`;
  const open = report === null || loop === null ? null : `partloop report open ${loop} ${iteration}`;
  const lines = [text, ...(open === null ? [] : [`Report: ${open}`]), ...(temporal === null ? [] : [temporal])];
  const id = createHash('sha256')
    .update(JSON.stringify([storeUri, loop, iteration, event, of]))
    .digest('hex');
  return {
    id: `msg_${id.slice(0, 32)}`,
    body: JSON.stringify({
      text: withoutMarkup(lines.join('\n')),
      type: event,
      timestamp: now.toISOString(),
      data: {
        ...{ loop, iteration, figures },
        report: report === null ? null : { uri: `${storeUri}/${report}`, command: open },
        temporal,
      },
    }),
  };
}

/** A message that says that messages arrive. */
export function testMessage(id: string, now = new Date()): Message {
  const text = 'partloop: a test message. Messages about loops arrive here.';
  return { id: `msg_${id}`, body: JSON.stringify({ text, type: 'test', timestamp: now.toISOString(), data: {} }) };
}

/** Slack's control characters, so that a file name in an error cannot mention a channel or disguise a link. */
const withoutMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
