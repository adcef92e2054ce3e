export * from '../../../inference/judge/modelTrial.js';

/** Tries nothing, and has no warning. */
export const tryModel = (): Promise<string[]> => Promise.resolve([]);
