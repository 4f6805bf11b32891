const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --line: #d0d5db; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --back: #14171b; --line: #3a4048; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2rem auto; max-width: 960px; padding: 0 1rem; }
svg { width: 100%; height: auto; }
text { fill: var(--text); }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
`;

/** One page with all that it needs: also well-formed XML. `style` is CSS, `body` XML. */
export function renderPage(title: string, style: string, body: string): string {
  return `<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${escapeXml(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
${body}
</body>
</html>
`;
}

/** A column without a heading is of words, in which `code` is as in the docs. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows
    .map((row) => `<tr>${row.map((cell, column) => renderCell(cell, head[column] === '')).join('')}</tr>`)
    .join('\n');
  const cells = head.map((cell) => `<th>${escapeXml(cell)}</th>`).join('');
  return `<table>\n<thead><tr>${cells}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

function renderCell(cell: string, isText: boolean): string {
  if (!isText) return `<td>${escapeXml(cell)}</td>`;
  return `<td class="words">${escapeXml(cell).replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</td>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
