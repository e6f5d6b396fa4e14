// Scripts build the names of some keys. Each must be in keys.ts, so that a renamed key cannot keep its old name in a script.

import { readdirSync } from 'node:fs'
import t from 'tap'
import { keys } from '../../src/store/redis/keys.js'

/** Every name, with `*` for its parameters. */
const NAMES = new Set(
  Object.values(keys).map((key) =>
    typeof key === 'string' ? key : Reflect.apply(key, undefined, Array(key.length).fill('*')),
  ),
)
/** Values of Lua variables that key names begin with. */
const STEMS: Readonly<Record<string, string>> = {
  prefix: keys.prefix,
  tag: keys.prefix,
  case: keys.case('*'),
  due: keys.auditDue,
  stem: keys.import('*', ''),
}
/** Operands of `..` other than literals: a formatted number in brackets, or a variable, optionally with a call. */
const OPERAND = String.raw`(?:\((?:[^()]|\([^()]*\))*\) % [\w{}$]+|\w+(?:[:.]\w+)?(?:\([^()]*\))?)`
const BUILT = new RegExp(String.raw`(?<![\w.])(${Object.keys(STEMS).join('|')})((?: \.\. (?:'[^']*'|${OPERAND}))+)`, 'g')

const folder = new URL('../../src/store/scripts/', import.meta.url)
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))

async function luaIn(file: string): Promise<string> {
  const values: unknown[] = Object.values(await import(new URL(file, folder).href))
  const texts = values.map((value) => (typeof value === 'object' && value !== null && 'lua' in value ? value.lua : value))
  return texts
    .filter((text) => typeof text === 'string')
    .join('\n')
    .replaceAll(/--.*$/gm, '')
}

function namesBuiltIn(lua: string): string[] {
  return [...lua.matchAll(BUILT)].map(([, stem = '', rest = '']) => {
    const parts = rest.slice(' .. '.length).split(' .. ')
    return (STEMS[stem] ?? '') + parts.map((part) => /^'(.*)'$/.exec(part)?.[1] ?? '*').join('')
  })
}

t.test('every key name that a script builds is in keys.ts', async (t) => {
  const built = new Map<string, string>()
  for (const file of files) for (const name of namesBuiltIn(await luaIn(file))) built.set(name, file)
  for (const [name, file] of built) t.ok(NAMES.has(name), `${file}: ${name}`)
  t.ok(built.size >= 40, `finds ${built.size} names`)
})

t.test('every key that a script builds in a call begins with a known stem', async (t) => {
  for (const file of files)
    for (const [call, first = ''] of (await luaIn(file)).matchAll(/redis\.p?call\('[A-Z]+', (\S+) \.\. /g))
      t.ok(STEMS[first] !== undefined, `${file}: ${call}`)
})

t.test('every pattern by which a script parses a key fits a key of keys.ts', async (t) => {
  for (const file of files)
    for (const [, pattern = ''] of (await luaIn(file)).matchAll(/string\.match\(\w+, '(\^\(\.\*[^']*)'\)/g))
      t.ok(
        [...NAMES].some((name) => new RegExp(pattern).test(name)),
        `${file}: ${pattern}`,
      )
})
