import type { ReportData } from '../data.js';
import { duration, iou, percent, points, whole } from './format.js';

/** The gain over a model that was trained on as many random images, or why there is none. */
export function Control({ data }: { data: ReportData }) {
  const { control, costs } = data;
  if (control === null) return null;
  const { compared, why, unlike } = control;
  const seconds = costs.find(({ step }) => step === 'control')?.seconds ?? 0;
  return (
    <section id="control">
      <h2>Compared with random images</h2>
      {compared === null ? (
        <p>There is no control for this iteration: {why}.</p>
      ) : (
        <>
          <p>
            <b>
              Gain over random: {points(compared.gain)} points [{points(compared.lower)}, {points(compared.upper)}]
            </b>
            , mIoU {iou(compared.miou)} against {iou(compared.controlMiou)}.
          </p>
          <p class="note">
            The control is the same network, trained with the same settings, seed and length on{' '}
            {whole(compared.controlTrainedOn)} images drawn at random from the same chunks, with their labels as they
            are. Bounds by paired bootstrap over {compared.units} units, {percent(1 - 2 * compared.alpha)} interval. It
            decides nothing, and its model goes nowhere else.
          </p>
        </>
      )}
      {unlike.length > 0 && <p>The control also differs otherwise: {unlike.join('; ')}.</p>}
      <p class="note">
        <code>sample.controlArm</code> costs a second training and one more evaluation per iteration: here{' '}
        {duration(seconds)}.
      </p>
    </section>
  );
}
