/** Curves in a frame with axes. */

import { at, escape, heading, label, svg } from './markup.js';

export interface Curve {
  /** Shown when the pointer rests on the curve. */
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Default false. */
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly curves: readonly Curve[];
  /** Where powers of ten are evenly spaced. Default nowhere. */
  readonly logarithmic?: 'up' | 'across' | 'both';
  /** Ends of the upwards axis; default where the values end. */
  readonly range?: readonly [low: number, high: number];
}

const [width, height] = [520, 320];
const frame = { left: 52, right: 12, top: 26, bottom: 40 } as const;

/** The curves of a chart; points without a finite place are left out. */
export function lineChart({ title, x, curves, logarithmic, range }: LineChart): string {
  const isUp = logarithmic === 'up' || logarithmic === 'both';
  const isAcross = logarithmic === 'across' || logarithmic === 'both';
  const place = (y: number): number => (isUp ? Math.log10(y) : y);
  const placeAcross = (px: number): number => (isAcross ? Math.log10(px) : px);
  const placed = curves.map((curve) => ({
    ...curve,
    points: curve.points
      .map(([px, py]) => [placeAcross(px), place(py)] as const)
      .filter(([, py]) => Number.isFinite(py)),
  }));
  const all = placed.flatMap(({ points }) => points);
  const across = axis(
    all.map(([px]) => px),
    isAcross,
  );
  const up = axis(range ? range.map(place) : all.map(([, py]) => py), isUp);
  const toX = (value: number): number =>
    frame.left + across.share(value) * (width - frame.left - frame.right);
  const toY = (value: number): number =>
    height - frame.bottom - clamp(up.share(value)) * (height - frame.top - frame.bottom);
  const middle = (frame.left + width - frame.right) / 2;
  return svg(width, height, title, [
    heading(frame.left, title),
    ...up.ticks.map((tick) => gridLine(toY(tick), isUp ? 10 ** tick : tick)),
    ...across.ticks.map((tick) =>
      label(
        toX(tick),
        height - frame.bottom + 16,
        showTick(isAcross ? 10 ** tick : tick),
        'middle',
      ),
    ),
    label(middle, height - 6, x, 'middle'),
    ...placed.map((curve) => polyline(curve, ([px, py]) => `${at(toX(px))},${at(toY(py))}`)),
  ]);
}

/** A line across the chart with the value it stands for. */
function gridLine(y: number, value: number): string {
  const ends = `x1="${frame.left}" x2="${width - frame.right}" y1="${at(y)}" y2="${at(y)}"`;
  return `<line class="grid-line" ${ends}/>${label(frame.left - 6, y + 4, showTick(value), 'end')}`;
}

type Point = Curve['points'][number];

function polyline(curve: Curve, place: (point: Point) => string): string {
  const dashes = curve.dashed ? ' stroke-dasharray="4 3"' : '';
  const points = curve.points.map(place).join(' ');
  return (
    `<polyline class="curve" stroke="${curve.colour}"${dashes} points="${points}">` +
    `<title>${escape(curve.name)}</title></polyline>`
  );
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
/** `0.25`, `1e-6`. */
function showTick(value: number): string {
  const short = Number(value.toPrecision(4));
  return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
}

interface Axis {
  /** Where a value is between the ends, from 0 to 1. */
  readonly share: (value: number) => number;
  readonly ticks: readonly number[];
}

/** An axis from the least value to the greatest; of logarithms the ticks are round numbers too. */
function axis(values: readonly number[], logarithmic = false): Axis {
  const low = values.length > 0 ? Math.min(...values) : 0;
  const high = values.length > 0 ? Math.max(...values) : 1;
  const span = high - low || 1;
  const ticks = logarithmic
    ? logarithmicTicks(low, high)
    : evenTicks(low, high, values.every(Number.isInteger));
  return { share: (value) => (value - low) / span, ticks };
}

/** Ten ticks at most, or so; at whole numbers where there is nothing between them. */
function evenTicks(low: number, high: number, whole: boolean): number[] {
  const span = high - low || 1;
  const rough = whole ? Math.max(1, span / 8) : span / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((each) => each * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * span; i++) ticks.push(i * step);
  return ticks;
}

/** Logarithms of powers of ten, with their doubles and halves where there are few. */
function logarithmicTicks(low: number, high: number): number[] {
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const factor of factors) ticks.push(power + Math.log10(factor));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}
