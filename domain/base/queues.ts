/** Task queues: light work and workflows, inference, training (one slot per device). */
export const LIGHT_QUEUE = 'partloop';
export const SCAN_QUEUE = 'partloop-scan';
export const TRAIN_QUEUE = 'partloop-train';
