// Checks that every package of a production install has a licence under which it may be used and handed on. Status 1 when one has not.
// Reads what `npm sbom` writes:
//
//   npm run licences

import { text } from 'node:stream/consumers'

const ALLOWED = new Set([
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

/** Allowed for the packages that `name` matches. */
const EXCEPTIONS = [
  { name: /^@img\/sharp-libvips-/, licence: 'LGPL-3.0-or-later', why: 'a shared library, loaded as it is; NOTICE names it' },
  { name: /^@img\/sharp-(win32|wasm32)/, licence: 'LGPL-3.0-or-later', why: 'the same library, packed with its loader' },
  {
    name: /^libheif-js$/,
    licence: 'LGPL-3.0',
    why: 'WebAssembly, loaded as it is and replaceable; optional; NOTICE names it',
  },
  { name: /^png-js$/, licence: 'none', why: 'its package file names no licence; its file LICENSE is that of MIT' },
]

const { components } = JSON.parse(await text(process.stdin))
// `npm sbom --omit dev` would also leave out what both the service and a development tool need, zod for one.
const shipped = components.filter(
  ({ purl = '', properties = [] }) =>
    !purl.startsWith('pkg:npm/%40tabir/') && !properties.some(({ name }) => name === 'cdx:npm:package:development'),
)
const refused = shipped.filter((component) => !isAllowed(component.name, licenceOf(component)))
for (const each of refused) console.error(`${each.name} ${each.version}: ${licenceOf(each)}`)
console.log(`${shipped.length} packages, ${refused.length} without an allowed licence`)
process.exitCode = refused.length === 0 && shipped.length > 0 ? 0 : 1

/** @returns an SPDX expression, or `none`. */
function licenceOf({ licenses: [first] = [] }) {
  return first?.expression ?? first?.license?.id ?? first?.license?.name ?? 'none'
}

/** All terms of an AND have to be allowed, and one of an OR. A mix of both is for a person to read. */
function isAllowed(name, expression) {
  const text = expression.replaceAll(/[()]/g, '')
  const isTermAllowed = (term) =>
    ALLOWED.has(term) || EXCEPTIONS.some((each) => each.name.test(name) && each.licence === term)
  if (text.includes(' AND ')) return !text.includes(' OR ') && text.split(' AND ').every(isTermAllowed)
  return text.split(' OR ').some(isTermAllowed)
}
