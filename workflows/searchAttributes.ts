import { upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../domain/searchAttributes.js';

/** Set the given search attributes of partloop; the others stay. */
export function showAttributes(values: {
  loop?: string;
  iteration?: number;
  step?: string;
  model?: string;
  miou?: number;
  gate?: string;
}): void {
  const updates = [
    ...(values.loop === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.loop, value: values.loop }]),
    ...(values.iteration === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.iteration, value: values.iteration }]),
    ...(values.step === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.step, value: values.step }]),
    ...(values.model === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.model, value: values.model }]),
    ...(values.miou === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.miou, value: values.miou }]),
    ...(values.gate === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.gate, value: values.gate }]),
  ];
  // The server refuses a command without attributes, and the workflow would retry that task forever.
  if (updates.length > 0) upsertSearchAttributes(updates);
}
