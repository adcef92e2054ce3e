import type { AuditCount } from '../audit/openCounts.js';

/** The way to a scan's audit sample, with what is open of it; a scan without a sample has none. */
export function AuditLink({ scan, count }: { scan: string; count: AuditCount | undefined }) {
  const href = `/audit/${encodeURIComponent(scan)}`;
  if (count === undefined) return <a href={href}>Audit sample</a>;
  return (
    <a href={href}>
      Audit sample: {count.open} of {count.drawn} open
    </a>
  );
}
