/**
 * How a worker process calls itself to Temporal: `scan:4711@host`. The UI shows it, and `status` knows its processes by
 * it.
 */
export const workerIdentity = (role: string, pid: number, host: string): string => `${role}:${pid}@${host}`;

/** Role and process of an identity of ours; null for one of another program. */
export function parseWorkerIdentity(identity: string): { role: string; pid: number; host: string } | null {
  const [, role, pid, host] = /^([a-z]+):(\d+)@(.+)$/.exec(identity) ?? [];
  return role === undefined || host === undefined ? null : { role, pid: Number(pid), host };
}
