import type { Vec3 } from './space.js';
import { halfWidth, onSide, type Piece, piece, SIDES, sideName, topLine } from './surface.js';
import type { Shape } from './vehicles.js';

/** The lower body without wheels: hull first, then its panels, then what sits on the panels. */
export function lowerBody(shape: Shape): Piece[] {
  return [
    ...hullOf(shape),
    ...SIDES.flatMap((side) => sidePanels(shape, side)),
    ...topPanels(shape),
    ...frontFace(shape),
    ...rearFace(shape),
  ];
}

function hullOf(shape: Shape): Piece[] {
  const front = shape.length / 2;
  const stations = [
    front,
    0.42 * shape.length,
    0.3 * shape.length,
    0,
    -0.3 * shape.length,
    -0.42 * shape.length,
    -front,
  ];
  return [
    ...SIDES.map(
      (side): Piece => ({
        ...piece(
          'hull',
          null,
          'paint',
          onSide(shape, side, [
            [front, shape.bottom],
            [0, shape.bottom],
            [0, shape.belt],
          ]),
          [0, side, 0],
        ),
        points: onSide(shape, side, [
          ...stations.map((x) => [x, shape.bottom] as const),
          ...[...stations].reverse().map((x) => [x, topLine(shape, x)] as const),
        ]),
      }),
    ),
    piece('hull', null, 'paint', acrossAt(shape, front, shape.bottom, shape.nose), [1, 0, 0]),
    piece('hull', null, 'paint', acrossAt(shape, -front, shape.bottom, shape.deck), [-1, 0, 0]),
    piece('hull', null, 'paint', lid(shape, front, shape.cowl, 1), [0, 0, 1]),
    piece('hull', null, 'black', lid(shape, shape.cowl, shape.rearBase, 1), [0, 0, 1]),
    piece('hull', null, shape.type === 'truck' ? 'black' : 'paint', lid(shape, shape.rearBase, -front, 1), [0, 0, 1]),
  ];
}

/** The upper surface between two stations, `share` of its width. */
function lid(shape: Shape, from: number, to: number, share: number): Vec3[] {
  const [near, far] = [halfWidth(shape, from) * share, halfWidth(shape, to) * share];
  const [high, low] = [topLine(shape, from), topLine(shape, to)];
  return [
    [from, near, high],
    [from, -near, high],
    [to, -far, low],
    [to, far, low],
  ];
}

/** A rectangle across the whole car at `x`. */
function acrossAt(shape: Shape, x: number, low: number, high: number): Vec3[] {
  const half = halfWidth(shape, x);
  return [
    [x, half, low],
    [x, -half, low],
    [x, -half, high],
    [x, half, high],
  ];
}

/** A rectangle on the front or rear face, from `inner` to `outer` along y. */
const patch = (x: number, inner: number, outer: number, low: number, high: number): Vec3[] => [
  [x, inner, low],
  [x, outer, low],
  [x, outer, high],
  [x, inner, high],
];

function sidePanels(shape: Shape, side: 1 | -1): Piece[] {
  const name = sideName(side);
  const panel = panelOn(shape, side);
  return [
    ...fender(shape, name, panel),
    ...door(shape, `${name}_front_door`, shape.door1, shape.door2, panel),
    ...door(shape, `${name}_rear_door`, shape.door2, shape.door3, panel),
    ...quarterPanel(shape, name, panel),
    ...bumperEnds(shape, panel),
    ...sideLamps(shape, name, panel),
  ];
}

type SideName = ReturnType<typeof sideName>;
/** Makes a piece of a part from points (x, z) on one side of the body. */
type Panel = (part: string, material: Piece['material'], points: readonly (readonly [number, number])[]) => Piece;

const panelOn =
  (shape: Shape, side: 1 | -1): Panel =>
  (part, material, points) =>
    piece(part, part, material, onSide(shape, side, points), [0, side, 0]);

/** Half the gap between two panels, in metres. */
const GAP = 0.012;

/** The upper edge of panels: just below that of the body. */
const panelTop = (shape: Shape, x: number): number => topLine(shape, x) - 0.01;

/** The upper part, and the strip between wheel and door. */
function fender(shape: Shape, name: SideName, panel: Panel): Piece[] {
  const front = shape.length / 2;
  const { sill, bumper, door1, cowl, wheelFront } = shape;
  return [
    panel(`${name}_fender`, 'paint', [
      [front, bumper],
      [door1 + GAP, bumper],
      [door1 + GAP, panelTop(shape, door1)],
      [cowl, panelTop(shape, cowl)],
      [front, panelTop(shape, front)],
    ]),
    panel(`${name}_fender`, 'paint', [
      [wheelFront, sill],
      [door1 + GAP, sill],
      [door1 + GAP, bumper + 0.01],
      [wheelFront, bumper + 0.01],
    ]),
  ];
}

/** A door from `from` back to `to`, and its handle. */
function door({ sill, belt }: Shape, part: string, from: number, to: number, panel: Panel): Piece[] {
  return [
    panel(part, 'paint', [
      [from - GAP, sill],
      [from - GAP, belt - 0.01],
      [to + GAP, belt - 0.01],
      [to + GAP, sill],
    ]),
    panel(part, 'seam', [
      [to + 0.09, belt - 0.12],
      [to + 0.27, belt - 0.12],
      [to + 0.27, belt - 0.17],
      [to + 0.09, belt - 0.17],
    ]),
  ];
}

/** The upper part, and the strip between wheel and door. */
function quarterPanel(shape: Shape, name: SideName, panel: Panel): Piece[] {
  const front = shape.length / 2;
  const { sill, bumper, door3, rearBase, wheelRear } = shape;
  return [
    panel(`${name}_quarter_panel`, 'paint', [
      [door3 - GAP, bumper],
      [-front, bumper],
      [-front, panelTop(shape, -front)],
      [rearBase, panelTop(shape, rearBase)],
      [door3 - GAP, panelTop(shape, door3)],
    ]),
    panel(`${name}_quarter_panel`, 'paint', [
      [wheelRear, sill],
      [door3 - GAP, sill],
      [door3 - GAP, bumper + 0.01],
      [wheelRear, bumper + 0.01],
    ]),
  ];
}

/** Where the bumpers reach round to the wheels. */
function bumperEnds({ length, bottom, bumper, wheelFront, wheelRear }: Shape, panel: Panel): Piece[] {
  const front = length / 2;
  return [
    panel('front_bumper', 'paint', [
      [front, bottom],
      [wheelFront, bottom],
      [wheelFront, bumper],
      [front, bumper],
    ]),
    panel('rear_bumper', 'paint', [
      [-front, bottom],
      [wheelRear, bottom],
      [wheelRear, bumper],
      [-front, bumper],
    ]),
  ];
}

/** Lamps and reflectors as far as they reach round the corners. */
function sideLamps(shape: Shape, name: SideName, panel: Panel): Piece[] {
  const front = shape.length / 2;
  const { bottom, bumper, nose, deck } = shape;
  const lampFoot = Math.max(bumper + 0.02, nose - 0.3);
  const tailFoot = Math.max(bumper + 0.02, deck - 0.42);
  return [
    panel(`${name}_headlight`, 'lamp', [
      [front, lampFoot],
      [front - 0.4, lampFoot + 0.05],
      [front - 0.46, panelTop(shape, front - 0.46) - 0.02],
      [front, nose - 0.03],
    ]),
    panel(`${name}_taillight`, 'tail', [
      [-front, tailFoot],
      [-front + 0.3, tailFoot + 0.04],
      [-front + 0.34, panelTop(shape, -front + 0.34) - 0.04],
      [-front, deck - 0.04],
    ]),
    panel(`${name}_indicator`, 'amber', [
      [front, bottom + 0.1],
      [front - 0.34, bottom + 0.1],
      [front - 0.34, bumper - 0.04],
      [front, bumper - 0.04],
    ]),
    panel(`${name}_reflector`, 'red', [
      [-front, bottom + 0.1],
      [-front + 0.34, bottom + 0.1],
      [-front + 0.34, bumper - 0.04],
      [-front, bumper - 0.04],
    ]),
  ];
}

function topPanels(shape: Shape): Piece[] {
  const front = shape.length / 2;
  const sedan = shape.type === 'sedan';
  return [
    piece('hood', 'hood', 'paint', lid(shape, front, shape.cowl, 0.97), [0, 0, 1]),
    ...(sedan ? [piece('tailgate', 'tailgate', 'paint', lid(shape, shape.rearBase, -front, 0.9), [0, 0, 1])] : []),
  ];
}

function frontFace(shape: Shape): Piece[] {
  const x = shape.length / 2;
  const half = halfWidth(shape, x);
  const { bottom, bumper, nose } = shape;
  const out: Vec3 = [1, 0, 0];
  const lampFoot = Math.max(bumper + 0.02, nose - 0.3);
  const slats = Array.from({ length: 3 }, (_, row) => bumper + ((nose - bumper) * (row + 1)) / 4.2);
  return [
    piece('hood', 'hood', 'paint', patch(x, -half, half, bumper, nose), out),
    piece('front_bumper', 'front_bumper', 'paint', patch(x, -half, half, bottom, bumper), out),
    piece('front_bumper', undefined, 'black', patch(x, -half * 0.55, half * 0.55, bottom + 0.02, bottom + 0.1), out),
    piece('grille', 'grille', 'black', patch(x, -half * 0.52, half * 0.52, bumper + 0.02, nose - 0.05), out),
    ...slats.map((z) => piece('grille', undefined, 'slat', patch(x, -half * 0.5, half * 0.5, z, z + 0.03), out)),
    piece('license_plate', 'license_plate', 'plate', patch(x, -0.29, 0.29, bottom + 0.12, bottom + 0.31), out),
    piece('license_plate', undefined, 'ink', patch(x, -0.21, 0.21, bottom + 0.19, bottom + 0.24), out),
    ...SIDES.flatMap((side) => {
      const name = sideName(side);
      return [
        piece(
          `${name}_headlight`,
          `${name}_headlight`,
          'lamp',
          patch(x, side * half * 0.56, side * half, lampFoot, nose - 0.03),
          out,
        ),
        piece(
          `${name}_headlight`,
          undefined,
          'shine',
          patch(x, side * half * 0.68, side * half * 0.88, lampFoot + 0.05, nose - 0.08),
          out,
        ),
        piece(
          `${name}_indicator`,
          `${name}_indicator`,
          'amber',
          patch(x, side * half * 0.7, side * half, bottom + 0.1, bumper - 0.04),
          out,
        ),
      ];
    }),
  ];
}

function rearFace(shape: Shape): Piece[] {
  const x = -shape.length / 2;
  const half = halfWidth(shape, x);
  const { bottom, bumper, deck } = shape;
  const out: Vec3 = [-1, 0, 0];
  const tailFoot = Math.max(bumper + 0.02, deck - 0.42);
  const plate = (bumper + deck) / 2 - 0.12;
  return [
    piece('tailgate', 'tailgate', 'paint', patch(x, -half, half, bumper, deck - 0.01), out),
    piece('rear_bumper', 'rear_bumper', 'paint', patch(x, -half, half, bottom, bumper), out),
    piece('rear_bumper', undefined, 'black', patch(x, -half * 0.5, half * 0.5, bottom + 0.03, bottom + 0.12), out),
    piece('tailgate', undefined, 'seam', patch(x, -half * 0.66, half * 0.66, bumper + 0.01, bumper + 0.03), out),
    piece('license_plate', 'license_plate', 'plate', patch(x, -0.29, 0.29, plate, plate + 0.2), out),
    piece('license_plate', undefined, 'ink', patch(x, -0.21, 0.21, plate + 0.07, plate + 0.13), out),
    ...SIDES.flatMap((side) => {
      const name = sideName(side);
      return [
        piece(
          `${name}_taillight`,
          `${name}_taillight`,
          'tail',
          patch(x, side * half * 0.68, side * half, tailFoot, deck - 0.04),
          out,
        ),
        piece(
          `${name}_taillight`,
          undefined,
          'shine',
          patch(x, side * half * 0.78, side * half * 0.94, tailFoot + 0.12, tailFoot + 0.2),
          out,
        ),
        piece(
          `${name}_reflector`,
          `${name}_reflector`,
          'red',
          patch(x, side * half * 0.66, side * half, bottom + 0.1, bumper - 0.04),
          out,
        ),
      ];
    }),
  ];
}
