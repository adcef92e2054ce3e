import type { QueueFilter } from '../../domain/board/queue.js';
import type { ScanDesk } from '../scanDesk.js';
import { documentOf } from './layout.js';

/** What the script of the review page has to know; it stands in the page as text. */
export interface ReviewSetting {
  scan: string;
  reviewer: string;
  /** Query of the filter, without `?`. */
  filter: string;
  /** Class names by label value, for people. */
  names: string[];
}

/** The review page: its script fills it. */
export function reviewPage({
  desk,
  filter,
  reviewer,
}: {
  desk: ScanDesk;
  filter: QueueFilter;
  reviewer: string;
}): string {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  const setting: ReviewSetting = {
    ...{ scan: desk.scan.id, reviewer },
    filter: new URLSearchParams(Object.fromEntries(asked.map(([name, value]) => [name, String(value)]))).toString(),
    names: desk.names.map((name) => name.replaceAll('_', ' ')),
  };
  return documentOf({
    title: `Review ${desk.scan.id}`,
    script: true,
    body: (
      <body class="review" data-setting={JSON.stringify(setting)}>
        <div class="stage">
          <canvas id="picture" tabindex={0} aria-label="The picture with its label" />
          <div id="banner" role="status" aria-live="polite" />
          <div id="mode" />
        </div>
        <aside>
          <header>
            <a href="/" class="home">
              partloop
            </a>
            <span class="who">
              <bdi>{reviewer}</bdi>
            </span>
          </header>
          <section id="finding" aria-live="polite" aria-label="Finding" />
          <section id="answers" aria-label="Answers" />
          <section id="tools" aria-label="Drawing" hidden />
          <section id="legend" aria-label="Classes in this picture" />
          <section id="progress" aria-label="Progress" />
        </aside>
        <dialog id="keys" aria-label="Keys" />
        <dialog id="comment" aria-label="Reason" />
      </body>
    ),
  });
}
