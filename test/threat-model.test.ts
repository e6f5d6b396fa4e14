import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const text = readFileSync(join(DOCS, 'threat-model.md'), 'utf8')
const [, ...sections] = text.split(/^#{2,3} /m)

t.test('each kind of attacker has a section with what stops the attack and what does not', async (t) => {
  for (const attacker of [
    'The ex-partner who has the picture',
    'The curious or careless employee of a platform',
    'The thief of the list',
    'The censor',
    'Somebody on the network',
    'The sender of malicious files',
    'The operator',
  ]) {
    const section = sections.find((each) => each.startsWith(attacker))
    t.ok(section !== undefined && rowsOf(section).length > 1, attacker)
    t.match(section, /^Not stopped/m, `${attacker}: what is not stopped`)
  }
})

t.test('each row of the threat model names an existing test', async (t) => {
  const rows = sections.flatMap(rowsOf)
  t.ok(rows.length > 40)
  for (const row of rows) {
    const shownBy = row.split('|').at(-2) ?? ''
    const tests = linksIn(shownBy).filter((link) => /^\.\.\/test\/.+\.test\.ts$/.test(link))
    t.ok(tests.length > 0, row)
  }
})

/** The rows of the tables in a section, without their heads. */
function rowsOf(section: string): string[] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.filter((line, i) => !/^\| ---/.test(line) && !/^\| ---/.test(lines[i + 1] ?? ''))
}

function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '')
}
