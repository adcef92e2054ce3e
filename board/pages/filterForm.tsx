import { QUEUE_ORDERS } from '../../domain/board/queue.js';
import { FINDING_KINDS } from '../../domain/tables.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { queryOf, type ScanPage } from './setting.js';

const ORDER_WORDS = { probability: 'by probability', gain: 'by expected gain' } as const;
const ANSWER_WORDS = { open: 'not answered', answered: 'answered', all: 'all' } as const;

/** What a reviewer wants to see; a form without script. */
export function FilterForm({ desk, filter, siblings, path }: Omit<ScanPage, 'reviewer'> & { path: string }) {
  const { kind, given, proposed, from, to, answers, reviewer, tag, value, order } = filter;
  const kinds = FINDING_KINDS.filter((one) => desk.kinds.has(one));
  return (
    <form method="get" action={`${path}/${encodeURIComponent(desk.scan.id)}`} class="filter">
      <label>
        Kind
        <select name="kind">
          <option value="">any</option>
          {kinds.map((one) => (
            <option value={one} selected={one === kind}>
              {one.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <ClassChoice title="Labelled as" name="given" names={desk.names} chosen={given} />
      <ClassChoice title="Proposed" name="proposed" names={desk.names} chosen={proposed} />
      <label>
        Probability from
        <input type="number" name="from" min={0} max={1} step="any" value={String(from)} />
      </label>
      <label>
        to
        <input type="number" name="to" min={0} max={1} step="any" value={String(to)} />
      </label>
      <label>
        Tag
        <select name="tag">
          <option value="">any</option>
          {TAG_NAMES.map((one) => (
            <option value={one} selected={one === tag}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label>
        Its value
        <input name="value" value={value ?? ''} maxlength={64} />
      </label>
      <label>
        Answers
        <select name="answers">
          {Object.entries(ANSWER_WORDS).map(([one, words]) => (
            <option value={one} selected={one === answers}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        Reviewer
        <input name="reviewer" value={reviewer ?? ''} maxlength={200} />
      </label>
      <label>
        Order
        <select name="order">
          {QUEUE_ORDERS.map((one) => (
            <option value={one} selected={one === order}>
              {ORDER_WORDS[one]}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">Show</button>
      {siblings.length > 1 && (
        <p class="others note">
          The same of
          {siblings.map((id) =>
            id === desk.scan.id ? (
              <b>{id}</b>
            ) : (
              <a href={`${path}/${encodeURIComponent(id)}?${queryOf(filter)}`}>{id}</a>
            ),
          )}
        </p>
      )}
    </form>
  );
}

function ClassChoice(props: { title: string; name: string; names: readonly string[]; chosen: number | undefined }) {
  const { title, name, names, chosen } = props;
  return (
    <label>
      {title}
      <select name={name}>
        <option value="">any</option>
        {names.map((one, value) => (
          <option value={String(value)} selected={value === chosen}>
            {one.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  );
}
