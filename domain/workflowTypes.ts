/** The types of partloop's workflows: those of others in its namespace are none of its business. */
export const WORKFLOW_TYPES: readonly string[] = [
  'startLoop',
  'trainingLoop',
  'loopIteration',
  'mislabelScan',
  'hyperparameterSearch',
];
