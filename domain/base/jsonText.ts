import { PartloopError } from './errors.js';

/**
 * The value of a JSON text.
 *
 * @throws PartloopError `data-invalid` naming its container
 */
export function parseText(text: string, name: string, options: { hint?: string } = {}): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('data-invalid', `${name} is not JSON (${text.length} characters): ${detail}`, {
      ...options,
      cause,
    });
  }
}
