/** Writing HTML and SVG: escaping, and how the page looks. */

/** Text as it may stand between tags and in attributes; a number keeps its sign of percent. */
export const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(' %', '&nbsp;%');

/** Colours told apart by most eyes (Okabe and Ito), for light and dark pages. */
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
export const colour = (index: number): string => palette[index % palette.length]!;

/** What a colour of a chart stands for. */
export const key = (fill: string, words: string): string =>
  `<span class="key" style="background:${fill}"></span>${escape(words)}`;

/** A coordinate: tenths of a pixel are enough. */
export const at = (value: number): string => value.toFixed(1);

/** An SVG image that scales with the page; `label` is for those who cannot see it. */
export function svg(
  width: number,
  height: number,
  label: string,
  parts: readonly string[],
): string {
  return (
    `<svg viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" ` +
    `aria-label="${escape(label)}">\n${parts.join('\n')}\n</svg>`
  );
}

/** Words in an SVG image, at the place of their start, middle or end. */
export function label(
  x: number,
  y: number,
  words: string | number,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const where = `x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"`;
  return `<text ${where}>${escape(String(words))}</text>`;
}

/** The title of an SVG image, at its top. */
export const heading = (x: number, words: string): string =>
  `<text x="${at(x)}" y="14" font-weight="600">${escape(words)}</text>`;

/** A filled rectangle of an SVG image. */
export function box(
  [x, y]: readonly [number, number],
  [width, height]: readonly [number, number],
  fill: string,
  opacity: number,
): string {
  const size = `width="${at(width)}" height="${at(height)}"`;
  const paint = `fill="${fill}" fill-opacity="${opacity.toFixed(2)}"`;
  return `<rect x="${at(x)}" y="${at(y)}" ${size} ${paint}/>`;
}

/** Part of the page under a title of its own. */
export const section = (title: string, ...parts: readonly string[]): string =>
  `<section>\n<h2>${escape(title)}</h2>\n${parts.join('\n')}\n</section>`;

export const paragraph = (text: string): string => `<p>${escape(text)}</p>`;

/** An image with words under it. */
export const figure = (image: string, caption: string): string =>
  `<figure>${image}<figcaption>${escape(caption)}</figcaption></figure>`;

/** A whole page that needs nothing from elsewhere. */
export const page = (title: string, parts: readonly string[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${parts.join('\n')}
</body>
</html>
`;

const style = `
:root { color-scheme: light dark; --line: #8884; --quiet: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2.2em; }
.grid { display: flex; flex-wrap: wrap; gap: 1.2em; }
figure { margin: 0; flex: 1 1 440px; } .pictures figure { flex: 0 0 104px; }
figcaption { color: var(--quiet); font-size: 0.85em; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: currentColor; } svg .grid-line { stroke: var(--line); }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; white-space: nowrap; font-size: 0.9em; }
th, td { padding: 0.3em 0.6em; border-bottom: 1px solid var(--line); text-align: right; }
th { font-weight: 600; } .words { text-align: left; }
.pictures img { width: 96px; height: 96px; image-rendering: pixelated; }
dt { font-weight: 600; margin-top: 0.6em; } dd { margin: 0; }
.key { display: inline-block; width: 0.8em; height: 0.8em; margin: 0 0.3em 0 1em; }
`;
