/** Curves drawn with characters. */

const height = 12;
const width = 60;
const marks = ['●', '○', '×', '+'];

/** A chart of one or more series over epochs; later series are drawn over earlier ones. */
export function drawCurves(series: Readonly<Record<string, readonly number[]>>): string {
  const names = Object.keys(series);
  const values = names.flatMap((name) => series[name]!).filter(Number.isFinite);
  if (values.length === 0) return '(nothing to draw)';
  // Divergent or first epochs would flatten everything else: the scale ends at the 95th percentile.
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[0]!;
  const high = Math.max(sorted[Math.floor(0.95 * (sorted.length - 1))]!, low + 1e-9);
  const epochs = Math.max(...names.map((name) => series[name]!.length));
  const grid = Array.from({ length: height }, () => new Array<string>(width).fill(' '));
  names.forEach((name, which) => {
    series[name]!.forEach((value, epoch) => {
      if (!Number.isFinite(value)) return;
      const share = Math.min(1, (value - low) / (high - low));
      const row = Math.round((1 - share) * (height - 1));
      const column = epochs === 1 ? 0 : Math.round((epoch / (epochs - 1)) * (width - 1));
      grid[row]![column] = marks[which % marks.length]!;
    });
  });
  const label = (row: number): string => {
    const value = high - (row / (height - 1)) * (high - low);
    return row % 4 === 0 || row === height - 1 ? value.toFixed(2).padStart(8) : ' '.repeat(8);
  };
  const legend = names.map((name, which) => `${marks[which % marks.length]} ${name}`).join('   ');
  return [
    ...grid.map((line, row) => `${label(row)} ┤${line.join('')}`.trimEnd()),
    `${' '.repeat(8)} └${'─'.repeat(width)}`,
    `${' '.repeat(10)}epoch 1 … ${epochs}   ${legend}`,
  ].join('\n');
}
