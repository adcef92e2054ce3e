/** Of every bound and interval that answers of reviewers give. Convention. */
export const CONFIDENCE = 0.95;
