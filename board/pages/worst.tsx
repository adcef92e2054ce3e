import { lookOf } from '../../domain/board/colours.js';
import { labelNames } from '../../domain/taxonomy.js';
import { iou } from '../../report/parts/format.js';
import type { WorstImages } from '../loops/worst.js';
import type { Layer } from '../loops/worstDesk.js';
import { documentOf } from './layout.js';

const TITLES: Readonly<Record<Layer, string>> = {
  given: 'Given label',
  candidate: 'Candidate',
  production: 'In production',
};

/** The worst test images of an iteration: what is labelled, and what two models see, beside each other. */
export function worstPage({ loop, iteration, taxonomy, images, production }: WorstImages): string {
  const path = `/loops/${loop}/${iteration}/worst`;
  const layers: Layer[] = production === null ? ['given', 'candidate'] : ['given', 'candidate', 'production'];
  return documentOf({
    title: `Worst test images of ${loop}, iteration ${iteration}`,
    script: null,
    body: (
      <body>
        <main class="page wide">
          <header class="top">
            <h1>
              Worst test images of iteration {iteration} of {loop}
            </h1>
            <p>
              <a href={`/loops/${loop}`}>Loop {loop}</a>
            </p>
          </header>
          <section>
            <p class="note">
              The test images with the lowest mIoU of the candidate. The models look at them when the page is opened,
              which takes a while the first time. {production === null && 'There was no model in production. '}
              Choose no training images and no settings by these pictures: the test images would no longer tell how good
              a model is.
            </p>
            <details>
              <summary>Colours</summary>
              <ul class="legend">
                {labelNames(taxonomy).map((name, value) =>
                  value === 0 ? null : (
                    <li>
                      <i class="swatch" style={`background:rgb(${lookOf(value).colour.join(' ')})`} />{' '}
                      <bdi>{name.replaceAll('_', ' ')}</bdi>
                    </li>
                  ),
                )}
              </ul>
              <p class="note">Classes of one colour differ in their pattern.</p>
            </details>
          </section>
          {images.map(({ row, miou, productionMiou, mistake }) => (
            <section class="worst">
              <h2>
                <bdi>{row.fileName}</bdi>
              </h2>
              <p>{mistake}</p>
              <div class="beside">
                {layers.map((layer) => (
                  <figure>
                    <img
                      src={`${path}/${row.imageId}/${layer}.webp`}
                      alt={`${TITLES[layer]}, drawn over the car`}
                      loading="lazy"
                    />
                    <figcaption>
                      {TITLES[layer]}
                      {layer === 'candidate' && `, mIoU ${iou(miou)}`}
                      {layer === 'production' && `, mIoU ${iou(productionMiou)}`}
                    </figcaption>
                  </figure>
                ))}
              </div>
            </section>
          ))}
        </main>
      </body>
    ),
  });
}
