import { FilterForm } from './filterForm.js';
import { documentOf } from './layout.js';
import { queryOf, type ScanPage, settingOf } from './setting.js';

/** The review page: its script fills it. */
export function reviewPage(page: ScanPage): string {
  const { desk, filter, reviewer } = page;
  const scan = encodeURIComponent(desk.scan.id);
  return documentOf({
    title: `Review ${desk.scan.id}`,
    script: 'review.js',
    body: (
      <body class="review" data-setting={settingOf(page)}>
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
            <a href={`/grid/${scan}?${queryOf(filter)}`}>Many at once</a>
            <span class="who">
              <bdi>{reviewer}</bdi>
            </span>
          </header>
          <details>
            <summary>Filter</summary>
            <FilterForm desk={desk} filter={filter} action={`/review/${scan}`} />
          </details>
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
