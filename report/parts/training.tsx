import type { ReportData, TrainingTags } from '../data.js';
import { percent, points, whole } from './format.js';

/** Shares of each tag value in the training set, before this iteration and after it. */
export function TrainingByTag({ training }: Pick<ReportData, 'training'>) {
  const { size, tags } = training;
  if (tags.length === 0) return null;
  return (
    <>
      <h3>Training set by tag</h3>
      <p class="note">
        Shares of {whole(size.after)} images
        {size.before === 0 ? '' : `, and of the ${whole(size.before)} images before this iteration`}.
      </p>
      <div class="two">
        {tags.map((tag) => (
          <TagTable tag={tag} size={size} />
        ))}
      </div>
    </>
  );
}

function TagTable({ tag: { tag, values }, size }: { tag: TrainingTags['tags'][number]; size: TrainingTags['size'] }) {
  const hasBefore = size.before > 0;
  return (
    <table>
      <thead>
        <tr>
          <th>{tag}</th>
          <th class="n">Images</th>
          {hasBefore && <th class="n">Before</th>}
          <th class="n">{hasBefore ? 'After' : 'Share'}</th>
          {hasBefore && <th class="n">Points</th>}
          <th />
        </tr>
      </thead>
      <tbody>
        {values.map((value) => {
          const share = value.after / Math.max(1, size.after);
          const before = value.before / Math.max(1, size.before);
          return (
            <tr>
              <td>{value.name}</td>
              <td class="n">{whole(value.after)}</td>
              {hasBefore && <td class="n">{percent(before, 1)}</td>}
              <td class="n">{percent(share, 1)}</td>
              {hasBefore && <td class="n">{points(share - before)}</td>}
              <td>
                <span class="bar" style={`width:${Math.round(80 * share)}px`} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
