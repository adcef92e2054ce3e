import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** The search attributes that must be registered before any workflow runs: an unregistered one freezes it. */
export const SEARCH_ATTRIBUTES = {
  loop: defineSearchAttributeKey('PartloopLoop', SearchAttributeType.KEYWORD),
  iteration: defineSearchAttributeKey('PartloopIteration', SearchAttributeType.INT),
  step: defineSearchAttributeKey('PartloopStep', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('PartloopModel', SearchAttributeType.KEYWORD),
  miou: defineSearchAttributeKey('PartloopMiou', SearchAttributeType.DOUBLE),
  gate: defineSearchAttributeKey('PartloopGate', SearchAttributeType.KEYWORD),
} as const;
