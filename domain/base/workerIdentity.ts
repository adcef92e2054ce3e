/**
 * The identity of a worker process in Temporal: `scan:4711@host`. The UI shows it, and `status` recognises its
 * processes by it.
 */
export const workerIdentity = (role: string, pid: number, host: string): string => `${role}:${pid}@${host}`;

/** Role and process of one of our identities; null for one of another program. */
export function parseWorkerIdentity(identity: string): { role: string; pid: number; host: string } | null {
  const [, role, pid, host] = /^([a-z]+):(\d+)@(.+)$/.exec(identity) ?? [];
  return role === undefined || host === undefined ? null : { role, pid: Number(pid), host };
}
