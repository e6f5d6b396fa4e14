import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const folder = new URL('../../../packages/hash/src/', import.meta.url)

t.test('packages/hash imports nothing from outside, so that it runs in a browser unchanged', async (t) => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('kernel/'),
  )

  t.ok(files.includes('pdq-kernel.ts'))
  for (const name of files) {
    const source = readFileSync(new URL(name, folder), 'utf8')
    const imported = Array.from(source.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g), ([, from]) => from)
    t.ok(
      imported.every((from) => from?.startsWith('./') || (name.includes('/') && /^\.\.\/[^.]/.test(from ?? ''))),
      name,
    )
    t.notMatch(source, /\b(?:process|Buffer|require|globalThis)\b\s*[.(]/, `${name} needs only browser features`)
  }
})
