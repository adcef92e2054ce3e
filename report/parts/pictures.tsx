import type { Picture } from '../data.js';
import { percent } from './format.js';

/** Pictures side by side, each with its text; `meter` names the bar under them, null omits it. */
export function Pictures({ pictures, meter }: { pictures: Picture[]; meter: string | null }) {
  return (
    <div class="pictures">
      {pictures.map((picture) => (
        <figure>
          {picture.src === null ? (
            <div class="unread">cannot be read</div>
          ) : (
            <img
              src={picture.src}
              alt={`${picture.title}: ${picture.fileName}`}
              width={picture.width}
              height={picture.height}
            />
          )}
          <figcaption>
            <b>{picture.title}</b>
            {picture.detail}
            <br />
            <span>{picture.fileName}</span>
          </figcaption>
          {picture.score !== null && meter !== null && (
            <div class="meter" title={`${meter}: ${percent(picture.score)}`}>
              <i style={`width:${Math.round(100 * picture.score)}%`} />
            </div>
          )}
        </figure>
      ))}
    </div>
  );
}
