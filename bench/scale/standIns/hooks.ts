import type { ResolveHook } from 'node:module';

/** Compiled modules of the product that have a stand-in of the same name beside this file. */
const REPLACED: Readonly<Record<string, string>> = {
  '/inference/sessions/scanPipeline.js': 'scanPipeline.js',
  '/inference/sessions/sessions.js': 'sessions.js',
  '/inference/judge/modelTrial.js': 'modelTrial.js',
  '/inference/evaluation/testImages.js': 'testImages.js',
  '/inference/derivative.js': 'derivative.js',
  '/storage/pictures/imageSource.js': 'imageSource.js',
};
const HERE = new URL('.', import.meta.url).href;
const DIST = new URL('../../..', import.meta.url).href.replace(/\/$/, '');

/** The stand-in for a replaced module; a stand-in itself imports the real one. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context);
  const standIn = found.url.startsWith(DIST) ? REPLACED[found.url.slice(DIST.length)] : undefined;
  if (standIn === undefined || context.parentURL?.startsWith(HERE) === true) return found;
  return { ...found, url: `${HERE}${standIn}`, shortCircuit: true };
};
