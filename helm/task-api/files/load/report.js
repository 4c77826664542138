// Writes a report as Markdown and as a page of HTML that needs nothing else.

export function asMarkdown({ title, isPassed, facts, tables }) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |\n`;
  const table = ({ columns, rows }) =>
    `${line(columns)}${line(columns.map(() => '---'))}${rows.map(line).join('')}`;
  const list = facts.map(([name, value]) => `- ${name}: ${value}\n`).join('');
  return `# ${title}: ${resultOf(isPassed)}\n\n${list}\n${tables.map(table).join('\n')}`;
}

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
  table { border-collapse: collapse; margin: 1.5rem 0 }
  td, th { border: 1px solid #ccc; padding: .3rem .7rem; text-align: left }
  td + td { font-variant-numeric: tabular-nums }
  .pass { color: #17632a } .FAIL, .failed { color: #a11; font-weight: bold }`;

export function asHtml({ title, isPassed, facts, tables }) {
  const row = (cells, tag) =>
    `<tr>${cells.map((cell) => `<${tag}${classOf(cell)}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const table = ({ columns, rows }) =>
    `<table>${row(columns, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
  const list = facts.map(([name, value]) => `<li>${escaped(name)}: ${escaped(value)}</li>`).join('');
  const heading = `${escaped(title)}: ${resultOf(isPassed)}`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${heading}</title><style>${style}</style>
<h1 class="${resultOf(isPassed)}">${heading}</h1>
<ul>${list}</ul>
${tables.map(table).join('\n')}
</html>
`;
}

const resultOf = (isPassed) => (isPassed ? 'passed' : 'failed');

const classOf = (cell) => (['pass', 'FAIL'].includes(cell) ? ` class="${cell}"` : '');

const escaped = (value) => String(value).replace(/[&<>"]/g, (letter) => `&#${String(letter.charCodeAt(0))};`);
