/** Curves of scaling as SVG: our times, a peer's and the machine's limit, on logarithmic axes. */

import { lineChart } from '../examples/cifar10/report/line-chart.js';
import type { Curve } from '../examples/cifar10/report/line-chart.js';
import { colour } from '../examples/cifar10/report/markup.js';
import type { NamedCase, Suite } from './cases.js';
import { labelOf } from './contestants.js';
import { valuesOf } from './report.js';
import type { Report } from './report.js';
import { boundOf, limitsOf } from './roofline.js';
import { median } from './statistics.js';

type Point = readonly [number, number];

/** The images by file name, of suites whose cases lie along an axis and were measured. */
export function curvesOf(
  report: Report,
  suites: Readonly<Record<string, Suite>>,
): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  for (const [key, suite] of Object.entries(suites)) {
    for (const [index, group] of groupsOf(suite).entries()) {
      const curves = curvesOfGroup(report, key, suite, group.cases);
      if (curves.length === 0) continue;
      const title = group.name === '' ? suite.title : `${suite.title}: ${group.name}`;
      const name = `performance-${key}${group.name === '' ? '' : `-${index + 1}`}`;
      images.set(name, image(title, key.replace('by-', ''), curves));
    }
  }
  return images;
}

interface Group {
  readonly name: string;
  readonly cases: readonly NamedCase[];
}

/** A suite's cases along its axis; by threads there are several of them, told apart by name. */
function groupsOf(suite: Suite): Group[] {
  const placed = suite.cases.filter((each) => each.at !== undefined);
  const byThreads = placed.some((each) => each.threads !== undefined);
  const groups = new Map<string, NamedCase[]>();
  for (const each of placed) {
    const name = byThreads ? each.name.replace(/, \d+ threads?$/, '') : '';
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return [...groups].map(([name, cases]) => ({ name, cases }));
}

function curvesOfGroup(
  report: Report,
  key: string,
  suite: Suite,
  cases: readonly NamedCase[],
): Curve[] {
  const curves = suite.contestants.map((name, i): Curve => {
    const points = cases.map((each): Point => {
      return [each.at!, median(valuesOf(report, key, each.name, name))];
    });
    return { name: labelOf(name), colour: colour(i), points: points.filter(isThere) };
  });
  const drawn = curves.filter(({ points }) => points.length > 1);
  const { roofline } = report;
  if (drawn.length === 0 || !('threads' in roofline)) return drawn;
  const bound = cases.flatMap((each): Point[] => {
    const limits = limitsOf(roofline, each.threads ?? report.machine.cores);
    return limits ? [[each.at!, boundOf(each, limits)]] : [];
  });
  const limit = { name: 'roofline', colour: '#888888', points: bound, dashed: true };
  return bound.length > 1 ? [...drawn, limit] : drawn;
}

const isThere = ([, y]: Point): boolean => Number.isFinite(y);

/** A chart that stands alone: with its own colours of text, and a key. */
function image(title: string, x: string, curves: readonly Curve[]): string {
  const chart = lineChart({ title: `${title}, ms`, x, curves, logarithmic: 'both' });
  const legend = curves.map(({ name, colour: stroke, dashed }, i) => {
    const y = 38 + 15 * i;
    const dashes = dashed ? ' stroke-dasharray="4 3"' : '';
    return (
      `<line x1="60" x2="84" y1="${y}" y2="${y}" class="curve" stroke="${stroke}"${dashes}/>` +
      `<text x="90" y="${y + 4}">${name}</text>`
    );
  });
  return `${chart
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace('>\n', `>\n<style>${style}</style>\n`)
    .replace('</svg>', `${legend.join('\n')}\n</svg>`)}\n`;
}

/** A grey that reads on light and dark pages. */
const style =
  'svg{font:11px system-ui,sans-serif}text{fill:#808080}.grid-line{stroke:#8884}' +
  '.curve{fill:none;stroke-width:1.6;stroke-linejoin:round}';
