import { keys } from '../../../storage/keys.js';
import { type FactsBy, type ResultBy, stepResult, type Working } from './stepResult.js';

const DIGEST = 'abcdef0123456789'.repeat(4);
const TOKEN = '01234567-89ab-cdef-0123-456789abcdef';
const FILES: Record<string, readonly string[]> = {
  draw: ['chunk.parquet', 'missing.json', 'drawn.json'],
  scan: [
    'images.parquet',
    'findings.parquet',
    'summary.json',
    'fold-0-scan',
    'fold-0-card',
    'fold-1-scan',
    'fold-1-card',
  ],
  sample: ['sample.parquet', 'training-set.parquet', 'comparison.json', 'left-out.json'],
  train: ['model.onnx', 'scan.onnx', 'model.json', 'log.jsonl', 'training-list.json', 'left-out.json', 'weights.pt'],
  evaluate: ['images.parquet', 'summary.json'],
};

/** The result of a step with as many keys and facts as a real one has, those that are given among them. */
export const realisticResult = <Name extends Working>(step: Name, facts?: FactsBy<Name>): ResultBy<Name> => {
  const numbers = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`factNumber${n}`, n / 7]));
  const files = FILES[step] ?? ['output.json'];
  const outputs = Object.fromEntries(files.map((file) => [file, keys.attempt('cars', 1, step, DIGEST, TOKEN, file)]));
  const result = stepResult(step, outputs, facts);
  return { ...result, digest: DIGEST, facts: { ...numbers, ...result.facts } };
};
