import { parseTaxonomy, type TaxonomyClass } from '../taxonomy.js';

type Spec = [name: string, group: TaxonomyClass['group'], rest?: Partial<Omit<TaxonomyClass, 'name' | 'group'>>];

const CLASSES: Spec[] = [
  [
    'back_bumper',
    'major',
    { adjacent: ['tailgate', 'trunk', 'back_left_light', 'back_right_light', 'wheel'], angles: [75, 180] },
  ],
  ['back_glass', 'major', { adjacent: ['tailgate', 'trunk'], angles: [75, 180] }],
  [
    'back_left_door',
    'major',
    { mirror: 'back_right_door', adjacent: ['front_left_door', 'wheel'], side: 'left', angles: [15, 165] },
  ],
  [
    'back_left_light',
    'minor',
    { mirror: 'back_right_light', adjacent: ['back_bumper', 'tailgate', 'trunk'], angles: [75, 180] },
  ],
  [
    'back_right_door',
    'major',
    { mirror: 'back_left_door', adjacent: ['front_right_door', 'wheel'], side: 'right', angles: [15, 165] },
  ],
  [
    'back_right_light',
    'minor',
    { mirror: 'back_left_light', adjacent: ['back_bumper', 'tailgate', 'trunk'], angles: [75, 180] },
  ],
  ['front_bumper', 'major', { adjacent: ['hood', 'front_left_light', 'front_right_light', 'wheel'], angles: [0, 105] }],
  ['front_glass', 'major', { adjacent: ['hood', 'left_mirror', 'right_mirror'], angles: [0, 105] }],
  [
    'front_left_door',
    'major',
    {
      mirror: 'front_right_door',
      adjacent: ['back_left_door', 'left_mirror', 'wheel'],
      side: 'left',
      angles: [15, 165],
    },
  ],
  ['front_left_light', 'minor', { mirror: 'front_right_light', adjacent: ['front_bumper', 'hood'], angles: [0, 105] }],
  [
    'front_right_door',
    'major',
    {
      mirror: 'front_left_door',
      adjacent: ['back_right_door', 'right_mirror', 'wheel'],
      side: 'right',
      angles: [15, 165],
    },
  ],
  ['front_right_light', 'minor', { mirror: 'front_left_light', adjacent: ['front_bumper', 'hood'], angles: [0, 105] }],
  [
    'hood',
    'major',
    { adjacent: ['front_bumper', 'front_glass', 'front_left_light', 'front_right_light'], angles: [0, 105] },
  ],
  ['left_mirror', 'minor', { mirror: 'right_mirror', adjacent: ['front_left_door', 'front_glass'] }],
  ['right_mirror', 'minor', { mirror: 'left_mirror', adjacent: ['front_right_door', 'front_glass'] }],
  [
    'tailgate',
    'major',
    { adjacent: ['back_bumper', 'back_glass', 'back_left_light', 'back_right_light'], angles: [75, 180] },
  ],
  [
    'trunk',
    'major',
    { adjacent: ['back_bumper', 'back_glass', 'back_left_light', 'back_right_light'], angles: [75, 180] },
  ],
  [
    'wheel',
    'major',
    {
      adjacent: [
        'front_bumper',
        'back_bumper',
        'front_left_door',
        'front_right_door',
        'back_left_door',
        'back_right_door',
      ],
      maxInstances: 4,
    },
  ],
];

/**
 * The 18 parts of the DSMLR Car Parts data set (Pasupa et al. 2021, doi 10.1007/s40747-021-00397-8), in its order. Left
 * and right there are the driver's, with exceptions.
 */
export const dsmlr18 = parseTaxonomy(
  {
    name: 'dsmlr-18',
    description: 'The 18 parts of the DSMLR Car Parts data set',
    classes: CLASSES.map(([name, group, rest]) => ({ name, group, ...rest })),
  },
  'dsmlr-18',
);
