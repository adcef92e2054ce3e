import type { Picture } from '../data.js';
import { Pictures } from './pictures.js';

/** Suspect labels with the proposed corrections, and what the colours mean. */
export function SuspectPictures({ pictures }: { pictures: Picture[] }) {
  return (
    <>
      <p class="legend">
        <i style="background:#ffffff;border:1px solid var(--line)" />
        outline of the given label
        <i style="background:#ff3d7f" />
        proposed correction, or the suspect region
      </p>
      <Pictures pictures={pictures} meter="probability that the label is wrong" />
    </>
  );
}
