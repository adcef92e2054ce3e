import type { IncomingHttpHeaders } from 'node:http';

const OWN_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * The reason why a server on this machine must not answer a browser's request, or null if it may.
 *
 * A name that an attacker points at 127.0.0.1 arrives as a foreign `Host`. Another page's request arrives with a
 * foreign `Origin` or `Sec-Fetch-Site`; it may only follow a link to us. Programs send neither header.
 */
export function refusal(method: string, headers: IncomingHttpHeaders): string | null {
  const host = headers.host ?? '';
  if (!OWN_HOSTS.has(host.replace(/:\d+$/, '').toLowerCase())) return 'this host name is not served here';
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`.toLowerCase())
    return 'requests of other origins are not taken';
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return null;
  const isLink =
    READS.has(method) && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isLink ? null : 'requests of other pages are not taken';
}
