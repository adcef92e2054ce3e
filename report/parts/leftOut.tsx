import type { ReportData } from '../data.js';

/** Images that steps left out, by name, so that somebody can restore them or remove them from the pool. */
export function LeftOut({ data: { leftOut } }: { data: ReportData }) {
  if (leftOut.length === 0) return null;
  return (
    <section id="left-out">
      <h2>Left out</h2>
      <p class="note">
        Images that are gone, changed or unreadable do not count here. Test images are left out for both models.
      </p>
      {leftOut.map(({ of, images, why, first }) => (
        <>
          <h3>
            {images} {of} images: {why}
          </h3>
          <ul>
            {first.map(({ fileName, reason }) => (
              <li>
                {fileName}: {reason}
              </li>
            ))}
            {images > first.length ? <li>and {images - first.length} more</li> : null}
          </ul>
        </>
      ))}
    </section>
  );
}
