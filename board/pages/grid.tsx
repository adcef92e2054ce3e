import { FilterForm } from './filterForm.js';
import { documentOf } from './layout.js';
import { queryOf, type ScanPage, settingOf } from './setting.js';

/** Many findings at once, and one answer for those that are selected: its script fills it. */
export function gridPage(page: ScanPage): string {
  const { desk, filter, reviewer } = page;
  const scan = encodeURIComponent(desk.scan.id);
  return documentOf({
    title: `Findings of ${desk.scan.id}`,
    script: 'grid.js',
    body: (
      <body class="grid" data-setting={settingOf(page)}>
        <header class="top">
          <p>
            <a href="/" class="home">
              partloop
            </a>{' '}
            {desk.scan.id} · <bdi>{reviewer}</bdi>
          </p>
          <a href={`/review/${scan}?${queryOf(filter)}`}>One at a time</a>
        </header>
        <FilterForm {...page} path="/grid" />
        <section id="bar" aria-label="Selection" />
        <p id="banner" role="status" aria-live="polite" />
        <section id="thumbnails" aria-label="Findings" />
        <dialog id="look" aria-label="One of the selection">
          <canvas id="picture" tabindex={0} aria-label="The picture with its label" />
          <div id="question" />
        </dialog>
      </body>
    ),
  });
}
