import type { Child } from 'hono/jsx';
import { FilterForm } from './filterForm.js';
import { documentOf } from './layout.js';
import { queryOf, type ScanPage, settingOf } from './setting.js';

/** The page of a scan's findings: its script fills it. */
export function reviewPage(page: ScanPage): string {
  const { desk, filter } = page;
  const scan = encodeURIComponent(desk.scan.id);
  return documentOf({
    title: `Review ${desk.scan.id}`,
    script: 'review.js',
    body: (
      <ReviewBody
        reviewer={page.reviewer}
        setting={settingOf(page)}
        links={<a href={`/grid/${scan}?${queryOf(filter)}`}>Many at once</a>}
        subject="Finding"
      >
        <details>
          <summary>Filter</summary>
          <FilterForm {...page} path="/review" />
        </details>
      </ReviewBody>
    ),
  });
}

/** The page of a scan's audit sample: one image after the other, each with its whole label. */
export function auditPage(page: Pick<ScanPage, 'desk' | 'reviewer'>): string {
  const { desk } = page;
  return documentOf({
    title: `Audit sample of ${desk.scan.id}`,
    script: 'audit.js',
    body: (
      <ReviewBody
        reviewer={page.reviewer}
        setting={settingOf(page)}
        links={<a href={`/review/${encodeURIComponent(desk.scan.id)}`}>Findings</a>}
        subject="Image"
      />
    ),
  });
}

/** What a page about one queue is filled into. */
function ReviewBody(props: { reviewer: string; setting: string; links: Child; subject: string; children?: Child }) {
  const { reviewer, setting, links, subject, children } = props;
  return (
    <body class="review" data-setting={setting}>
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
          {links}
          <span class="who">
            <bdi>{reviewer}</bdi>
          </span>
        </header>
        {children}
        <section id="finding" aria-live="polite" aria-label={subject} />
        <section id="answers" aria-label="Answers" />
        <section id="tools" aria-label="Drawing" hidden />
        <section id="legend" aria-label="Classes in this picture" />
        <section id="progress" aria-label="Progress" />
      </aside>
      <dialog id="keys" aria-label="Keys" />
      <dialog id="comment" aria-label="Reason" />
    </body>
  );
}
