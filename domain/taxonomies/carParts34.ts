import { type Taxonomy, type TaxonomyClass, taxonomySchema } from '../taxonomy.js';

type Extra = Partial<Pick<TaxonomyClass, 'angles' | 'areaShare' | 'maxInstances'>>;

/** A part that sits on neither side; it is its own mirror image. */
const middle = (name: string, group: TaxonomyClass['group'], adjacent: string[], extra: Extra): TaxonomyClass => ({
  name,
  group,
  adjacent,
  mirror: null,
  side: null,
  angles: null,
  areaShare: null,
  maxInstances: 1,
  ...extra,
});

/** A left part; `left_` in `adjacent` names the same side. */
const left = (part: string, group: TaxonomyClass['group'], adjacent: string[], extra: Extra): TaxonomyClass => ({
  name: `left_${part}`,
  mirror: `right_${part}`,
  side: 'left',
  group,
  adjacent,
  angles: null,
  areaShare: null,
  maxInstances: 1,
  ...extra,
});

const swapSide = (name: string): string =>
  name.replace(/^(left|right)_/, (prefix) => (prefix === 'left_' ? 'right_' : 'left_'));

const mirrored = (entry: TaxonomyClass): TaxonomyClass => ({
  ...entry,
  name: swapSide(entry.name),
  mirror: entry.name,
  side: 'right',
  adjacent: entry.adjacent.map(swapSide),
});

/** `left` parts followed by their mirror images, part by part. */
const pairs = (...entries: TaxonomyClass[]): TaxonomyClass[] => entries.flatMap((entry) => [entry, mirrored(entry)]);

const doors = [
  left('front_door', 'major', ['left_fender', 'left_rear_door', 'left_front_window', 'left_mirror', 'wheel'], {
    angles: [5, 175],
    areaShare: [0.003, 0.5],
  }),
  left('rear_door', 'major', ['left_front_door', 'left_quarter_panel', 'left_rear_window', 'wheel'], {
    angles: [5, 175],
    areaShare: [0.003, 0.5],
  }),
];
const windows = [
  left('front_window', 'major', ['left_front_door', 'left_rear_window', 'left_side_roof', 'left_mirror'], {
    angles: [5, 175],
    areaShare: [0.002, 0.4],
  }),
  left('rear_window', 'major', ['left_rear_door', 'left_front_window', 'left_side_roof', 'left_quarter_panel'], {
    angles: [5, 175],
    areaShare: [0.002, 0.4],
  }),
];

/** Touching is mutual: each class also names the classes that name it. */
const mutual = (classes: readonly TaxonomyClass[]): TaxonomyClass[] =>
  classes.map((entry) => ({
    ...entry,
    adjacent: classes
      .filter(
        (other) => other !== entry && (entry.adjacent.includes(other.name) || other.adjacent.includes(entry.name)),
      )
      .map(({ name }) => name),
  }));

/** The built-in taxonomy of exterior car parts: 24 major and 10 minor. Left and right are the driver's. */
export const carParts34: Taxonomy = taxonomySchema.parse({
  name: 'car-parts-34',
  description: "Exterior car parts, 24 major and 10 minor; left and right are the driver's.",
  classes: mutual([
    middle(
      'front_bumper',
      'major',
      [
        'grille',
        'hood',
        'left_headlight',
        'right_headlight',
        'left_fender',
        'right_fender',
        'left_indicator',
        'right_indicator',
        'license_plate',
        'wheel',
      ],
      { angles: [0, 155], areaShare: [0.002, 0.5] },
    ),
    middle(
      'rear_bumper',
      'major',
      [
        'tailgate',
        'left_taillight',
        'right_taillight',
        'left_quarter_panel',
        'right_quarter_panel',
        'left_reflector',
        'right_reflector',
        'license_plate',
        'wheel',
      ],
      { angles: [25, 180], areaShare: [0.002, 0.5] },
    ),
    middle(
      'hood',
      'major',
      ['windshield', 'grille', 'front_bumper', 'left_headlight', 'right_headlight', 'left_fender', 'right_fender'],
      { angles: [0, 155], areaShare: [0.002, 0.6] },
    ),
    middle(
      'tailgate',
      'major',
      [
        'rear_bumper',
        'rear_window',
        'left_taillight',
        'right_taillight',
        'left_quarter_panel',
        'right_quarter_panel',
        'license_plate',
      ],
      { angles: [25, 180], areaShare: [0.002, 0.6] },
    ),
    middle(
      'windshield',
      'major',
      ['hood', 'roof', 'left_side_roof', 'right_side_roof', 'left_mirror', 'right_mirror'],
      { angles: [0, 125], areaShare: [0.002, 0.5] },
    ),
    middle('rear_window', 'major', ['tailgate', 'roof', 'left_side_roof', 'right_side_roof'], {
      angles: [55, 180],
      areaShare: [0.002, 0.5],
    }),
    ...doors,
    ...doors.map(mirrored),
    ...windows,
    ...windows.map(mirrored),
    ...pairs(
      left(
        'fender',
        'major',
        ['left_front_door', 'hood', 'front_bumper', 'left_headlight', 'left_indicator', 'wheel'],
        { angles: [5, 165], areaShare: [0.002, 0.5] },
      ),
      left(
        'quarter_panel',
        'major',
        ['left_rear_door', 'tailgate', 'rear_bumper', 'left_taillight', 'left_rear_window', 'wheel'],
        { angles: [15, 175], areaShare: [0.002, 0.5] },
      ),
      left('headlight', 'major', ['hood', 'front_bumper', 'left_fender', 'grille', 'left_indicator'], {
        angles: [0, 155],
        areaShare: [0.001, 0.2],
      }),
      left('taillight', 'major', ['tailgate', 'rear_bumper', 'left_quarter_panel', 'left_reflector'], {
        angles: [25, 180],
        areaShare: [0.001, 0.2],
      }),
    ),
    middle('grille', 'major', ['hood', 'front_bumper', 'left_headlight', 'right_headlight'], {
      angles: [0, 90],
      areaShare: [0.001, 0.3],
    }),
    middle(
      'wheel',
      'major',
      [
        'left_fender',
        'right_fender',
        'left_quarter_panel',
        'right_quarter_panel',
        'left_front_door',
        'right_front_door',
        'left_rear_door',
        'right_rear_door',
        'front_bumper',
        'rear_bumper',
      ],
      { angles: [0, 180], areaShare: [0.001, 0.4], maxInstances: 4 },
    ),
    middle('roof', 'minor', ['windshield', 'rear_window', 'left_side_roof', 'right_side_roof'], {
      angles: [0, 180],
      areaShare: [0.001, 0.4],
    }),
    ...pairs(
      left('side_roof', 'minor', ['roof', 'windshield', 'rear_window', 'left_front_window', 'left_rear_window'], {
        angles: [0, 180],
        areaShare: [0.001, 0.2],
      }),
      left('indicator', 'minor', ['front_bumper', 'left_headlight', 'left_fender'], {
        angles: [0, 155],
        areaShare: [0.0005, 0.08],
      }),
      left('reflector', 'minor', ['rear_bumper', 'left_taillight', 'left_quarter_panel'], {
        angles: [25, 180],
        areaShare: [0.0005, 0.08],
      }),
      left('mirror', 'minor', ['left_front_door', 'left_front_window', 'windshield', 'left_fender'], {
        angles: [0, 180],
        areaShare: [0.0005, 0.1],
      }),
    ),
    middle('license_plate', 'minor', ['front_bumper', 'rear_bumper', 'tailgate', 'grille'], {
      angles: [0, 180],
      areaShare: [0.0005, 0.1],
    }),
  ]),
});
