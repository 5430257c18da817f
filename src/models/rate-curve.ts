/** The curve of a learning-rate search: what it suggests, drawn as text and as SVG. */

/** Samples on each side of a point that count in its smoothed value, in standard deviations. */
const reach = 3;
/** Standard deviation of the smoothing, as a share of the points. */
const width = 0.03;
/** The suggested rate is where the loss has fallen by this share of all it falls. */
const fallen = 0.9;

/** Losses of single steps against growing learning rates. */
export class RateCurve {
  /** Losses averaged over neighbouring steps, without shifting them. */
  readonly smoothed: readonly number[];
  /** The rate where the smoothed loss is lowest: beyond it training begins to diverge. */
  readonly lowest: number;
  /** The rate where the smoothed loss falls fastest, against the logarithm of the rate. */
  readonly steepest: number;
  /**
   * A rate to train with: the least by which the loss has made nine tenths of its fall. Around the
   * lowest point the curve is flat, and noise decides where in the valley it lies; where the valley
   * begins is the same for every seed. (The search itself is Smith 2015, arXiv 1506.01186.)
   */
  readonly suggestion: number;
  /**
   * The rate that takes back all that was won, or the last one: a peak for schedules that climb to
   * it and do not stay, such as 1cycle.
   */
  readonly highest: number;

  constructor(
    readonly rates: readonly number[],
    readonly losses: readonly number[],
  ) {
    this.smoothed = smooth(withoutPeaks(losses));
    const low = indexOfLeast(this.smoothed);
    this.lowest = rates[low] ?? NaN;
    const slopes = this.smoothed
      .slice(0, low + 1)
      .map((value, i) => (this.smoothed[i + 1] ?? value) - value);
    this.steepest = rates[indexOfLeast(slopes)] ?? NaN;
    const [start, least] = [this.smoothed[0]!, this.smoothed[low]!];
    const enough = start - fallen * (start - least);
    this.suggestion = rates[this.smoothed.findIndex((value) => value <= enough)] ?? NaN;
    const back = this.smoothed.findIndex((value, i) => i > low && value >= start);
    this.highest = rates[back < 0 ? rates.length - 1 : back] ?? NaN;
  }

  /** The curve in characters, and what it suggests. */
  toString(): string {
    return drawText(this);
  }

  /** A self-contained SVG image. */
  toSVG(): string {
    return drawSVG(this);
  }
}

/** Losses no further above the first than that is above the least: one step weighs no more. */
function withoutPeaks(losses: readonly number[]): number[] {
  const most = 2 * losses[0]! - Math.min(...losses);
  return losses.map((loss) => Math.min(loss, most));
}

/** Means of neighbours weighted by a bell curve. */
function smooth(values: readonly number[]): number[] {
  const deviation = Math.max(0.5, width * values.length);
  const most = Math.ceil(reach * deviation);
  return values.map((_, at) => {
    let sum = 0;
    let weights = 0;
    for (let i = Math.max(0, at - most); i <= Math.min(values.length - 1, at + most); i++) {
      const weight = Math.exp(-(((i - at) / deviation) ** 2) / 2);
      sum += weight * values[i]!;
      weights += weight;
    }
    return sum / weights;
  });
}

const indexOfLeast = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value < values[best]! ? i : best), 0);

// ---- drawing ------------------------------------------------------------------------------------

/** Positions from 0 to 1 of a curve's points. */
interface Scale {
  readonly x: (rate: number) => number;
  readonly y: (loss: number) => number;
  readonly low: number;
  readonly high: number;
}

/** Rates logarithmic; losses from the lowest to a little above the first. */
function scaleOf({ rates, smoothed }: RateCurve): Scale {
  const [first, last] = [Math.log(rates[0] ?? 1), Math.log(rates.at(-1) ?? 10)];
  const low = Math.min(...smoothed);
  const start = smoothed[0] ?? 1;
  const high = start + 0.3 * (start - low) + 1e-12;
  return {
    low,
    high,
    x: (rate) => (Math.log(rate) - first) / (last - first || 1),
    // Single steps stray: they are drawn at the edge.
    y: (loss) => Math.min(1, Math.max(0, (loss - low) / (high - low))),
  };
}

const showRate = (rate: number): string => rate.toExponential(1).replace('.0', '');

function drawText(curve: RateCurve): string {
  const [rows, columns, gutter] = [12, 60, 9];
  const scale = scaleOf(curve);
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
  const column = (rate: number): number => Math.round(scale.x(rate) * (columns - 1));
  const put = (values: readonly number[], mark: string): void => {
    values.forEach((loss, i) => {
      const row = Math.round((1 - scale.y(loss)) * (rows - 1));
      grid[row]![column(curve.rates[i]!)] = mark;
    });
  };
  put(curve.losses, '·');
  put(curve.smoothed, '●');
  const label = (row: number): string => {
    const value = scale.high - (row / (rows - 1)) * (scale.high - scale.low);
    return (row % 4 === 0 || row === rows - 1 ? value.toPrecision(4) : '').padStart(gutter - 1);
  };
  const arrow = column(Math.max(curve.rates[0]!, curve.suggestion));
  const left = showRate(curve.rates[0]!);
  const right = showRate(curve.rates.at(-1)!);
  const blank = ' '.repeat(gutter);
  return [
    ...grid.map((line, row) => `${label(row)} ┤${line.join('')}`.trimEnd()),
    `${blank}└${'─'.repeat(arrow)}▲${'─'.repeat(columns - 1 - arrow)}`,
    `${blank} ${left}${right.padStart(columns - left.length)}`,
    `${blank} loss against rate; lowest at ${showRate(curve.lowest)}, ` +
      `suggested ▲ ${showRate(curve.suggestion)}, at most ${showRate(curve.highest)}`,
  ].join('\n');
}

function drawSVG(curve: RateCurve): string {
  const [w, h, left, right, top, bottom] = [640, 360, 64, 20, 20, 48];
  const scale = scaleOf(curve);
  const x = (rate: number): string => (left + scale.x(rate) * (w - left - right)).toFixed(1);
  const y = (loss: number): string => (h - bottom - scale.y(loss) * (h - top - bottom)).toFixed(1);
  const line = (values: readonly number[]): string =>
    values.map((loss, i) => `${x(curve.rates[i]!)},${y(loss)}`).join(' ');
  const decades: string[] = [];
  const first = Math.ceil(Math.log10(curve.rates[0]!) - 1e-9);
  for (let power = first; 10 ** power <= curve.rates.at(-1)! * (1 + 1e-9); power++) {
    const at = x(10 ** power);
    decades.push(
      `<line x1="${at}" y1="${top}" x2="${at}" y2="${h - bottom}" stroke="#e4e4e7"/>` +
        `<text x="${at}" y="${h - bottom + 18}" text-anchor="middle">1e${power}</text>`,
    );
  }
  const losses = [0, 0.5, 1].map((share) => {
    const loss = scale.low + share * (scale.high - scale.low);
    return `<text x="${left - 8}" y="${Number(y(loss)) + 4}" text-anchor="end">${loss.toPrecision(3)}</text>`;
  });
  const at = x(Math.max(curve.rates[0]!, curve.suggestion));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" font-family="system-ui, sans-serif" font-size="12" fill="#52525b">`,
    `<rect width="${w}" height="${h}" fill="#ffffff"/>`,
    ...decades,
    ...losses,
    `<polyline points="${line(curve.losses)}" fill="none" stroke="#a1a1aa" stroke-opacity="0.5"/>`,
    `<polyline points="${line(curve.smoothed)}" fill="none" stroke="#2563eb" stroke-width="2"/>`,
    `<line x1="${at}" y1="${top}" x2="${at}" y2="${h - bottom}" stroke="#dc2626" stroke-dasharray="4 3"/>`,
    `<text x="${at}" y="${top + 10}" dx="6" fill="#dc2626">suggested ${showRate(curve.suggestion)}</text>`,
    `<text x="${(left + w - right) / 2}" y="${h - 8}" text-anchor="middle">learning rate</text>`,
    `<text transform="translate(14 ${(top + h - bottom) / 2}) rotate(-90)" text-anchor="middle">loss</text>`,
    '</svg>',
  ].join('\n');
}
