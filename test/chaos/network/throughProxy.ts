/**
 * Loaded before a process (`node --import`): workers, which alone are told an endpoint, reach the store through the
 * proxy. Their stack keeps its own S3 server, and commands go straight to it.
 */
export const PROXY_VARIABLE = 'PARTLOOP_CHAOS_PROXY';

const proxy = process.env[PROXY_VARIABLE];
if (proxy !== undefined && process.env.AWS_ENDPOINT_URL_S3 !== undefined) process.env.AWS_ENDPOINT_URL_S3 = proxy;

/** Variables of a stack whose workers go through the proxy at `url`. */
export const environmentThrough = (url: string): NodeJS.ProcessEnv => ({
  [PROXY_VARIABLE]: url,
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${import.meta.url}`.trim(),
});
