// docs/settings.md equals the descriptions in src/config: `npm run settings` writes it.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { SETTING_DESCRIPTIONS, type SettingName } from '../src/config/setting-descriptions.js'
import { Variables } from '../src/config/variables.js'

const path = resolve(import.meta.dirname, '../../docs/settings.md')
const HEAD = `# Settings

\`npm run settings\` writes this file from \`src/config\`.

All settings are environment variables; an empty one counts as not set. A wrong value stops the start with the variable's name and the reason, never its value. So does an unknown \`TABIR_…\`, with the setting that is spelt most like it.

| variable | default | meaning |
| --- | --- | --- |
`

t.test('docs/settings.md equals the code; npm run settings writes it', async (t) => {
  const defaults = Variables.parse({})
  const rows = Object.entries(SETTING_DESCRIPTIONS).map(([name, { shownDefault, meaning }]) => {
    const value = defaults[name as SettingName]
    return `| \`${name}\` | ${shownDefault ?? shown(value)} | ${meaning} |\n`
  })
  const text = HEAD + rows.join('')
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(path, text)
  t.equal(readFileSync(path, 'utf8'), text)
})

t.test('the described settings are exactly those read from the environment', async (t) => {
  const known = Object.keys(Variables.shape).filter((name) => /^(TABIR|REDIS)_/.test(name))
  t.same(Object.keys(SETTING_DESCRIPTIONS).toSorted(), known.toSorted())
})

function shown(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return ''
  return `\`${String(value)}\``
}
