// May everything that a production install brings be used and handed on under these terms? Status 1 when not.
//
//   npm run licences [-- --lock FILE]

import { parseArgs } from 'node:util'
import { readLock } from './packages.mjs'

/** For any package. */
const FINE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Unlicense',
])

/** For these alone, and why. */
const EXCEPTIONS = [
  { name: /^@img\/sharp-libvips-/, licence: 'LGPL-3.0-or-later', why: 'a shared library, loaded as it is; NOTICE names it' },
  {
    name: /^@img\/sharp-(win32|wasm32)/,
    licence: 'LGPL-3.0-or-later',
    why: 'the same library, in one package with what loads it',
  },
  { name: /^@fontsource\/noto-sans$/, licence: 'OFL-1.1', why: 'a font, embedded in reports' },
  { name: /^png-js$/, licence: undefined, why: 'says nothing in its package file; its file LICENSE is that of MIT' },
]

const { values } = parseArgs({ options: { lock: { type: 'string', default: 'package-lock.json' } } })
const { packages } = readLock(values.lock)
const counts = new Map()
let wrong = 0
for (const { name, version, licence } of packages) {
  counts.set(licence ?? 'none given', (counts.get(licence ?? 'none given') ?? 0) + 1)
  const terms = licence === undefined ? [undefined] : termsOf(licence)
  const refused = terms.filter(
    (term) => !FINE.has(term) && !EXCEPTIONS.some((each) => each.name.test(name) && each.licence === term),
  )
  if (refused.length === 0) continue
  wrong++
  console.error(`${name} ${version}: ${licence ?? 'no licence given'}`)
}
for (const [licence, count] of [...counts].sort(([, a], [, b]) => b - a))
  console.log(`${String(count).padStart(4)}  ${licence}`)
console.log(
  wrong === 0
    ? `All ${packages.length} packages may be used.`
    : `${wrong} of ${packages.length} packages may not be used, or want looking at.`,
)
process.exitCode = wrong === 0 ? 0 : 1

/** What has to be fine: all of an AND, and the best of an OR. */
function termsOf(expression) {
  const text = expression.replaceAll(/[()]/g, '')
  if (text.includes(' OR ') && text.includes(' AND ')) return [expression] // rare, and for a person to read
  const choices = text.split(' OR ')
  if (choices.length > 1) return [choices.find((choice) => FINE.has(choice)) ?? expression]
  return text.split(' AND ')
}
