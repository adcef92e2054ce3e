import { z } from 'zod';

/** Where iterations and models are noted beside partloop's own records. */
export const trackingConfigSchema = z.strictObject({
  mlflow: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Note each iteration, and the model in production, in MLflow'),
      uri: z
        .string()
        .max(1_000)
        .regex(/^https?:\/\/[^\s@]+$/, 'an address such as http://127.0.0.1:5000, without user and password')
        .nullable()
        .default(null)
        .describe('Address of the MLflow server, without user and password; null: that in `MLFLOW_TRACKING_URI`'),
      experiment: z
        .string()
        .min(1)
        .max(250)
        .regex(/^[^\p{Cc}/]+$/u, 'a name without slashes')
        .default('partloop')
        .describe('Experiment in MLflow that the iterations are runs of'),
    })
    .prefault({}),
});
export type TrackingConfig = z.infer<typeof trackingConfigSchema>;
