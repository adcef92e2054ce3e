import { mutateBytes, mutateText } from './mutateBytes.js';
import { mutateJson } from './mutateJson.js';
import { mutateJpeg, mutatePng } from './mutatePicture.js';
import type { Choices } from './source.js';

export type MutateFile = (name: string, body: Uint8Array, choices: Choices) => Uint8Array;

/** A file with changes that fit its kind, by its ending; now and then as if it were any bytes. */
export const mutateFile: MutateFile = (name, body, choices) => {
  if (choices.chance(0.1)) return mutateBytes(body, choices);
  if (/\.png$/i.test(name)) return mutatePng(body, choices);
  if (/\.jpe?g$/i.test(name)) return mutateJpeg(body, choices);
  const text = Buffer.from(body).toString('utf8');
  if (!/\.json$/i.test(name) || choices.chance(0.2)) return Buffer.from(mutateText(text, choices));
  return Buffer.from(spoiledJson(text, choices));
};

function spoiledJson(text: string, choices: Choices): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It was spoiled before.
    return mutateText(text, choices);
  }
  return JSON.stringify(mutateJson(value, choices)) ?? 'undefined';
}
