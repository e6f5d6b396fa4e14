// What is shipped beside our own code is known, unchanged, and under terms that allow it.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const Lock = z.object({
  packages: z.record(
    z.string(),
    z
      .object({
        version: z.string(),
        integrity: z.string(),
        resolved: z.string(),
        license: z.string(),
        dev: z.boolean(),
        link: z.boolean(),
      })
      .partial(),
  ),
})
const lock = Lock.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')))
/** From a registry: the packages of this repository are links to their folders. */
const fetched = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
const shipped = fetched.filter(([, { dev }]) => dev !== true)

t.test('every package is pinned by a digest, and by no address that an install would trust', async (t) => {
  for (const [path, { integrity, resolved }] of fetched) {
    t.match(integrity, /^sha512-/, path)
    t.equal(resolved, undefined, path)
  }
  for (const [path, { link, resolved }] of Object.entries(lock.packages))
    if (link) t.match(resolved, /^packages\/\w+$/, path)
})

t.test('every shipped package has an allowed licence', async (t) => {
  const checked = spawnSync('npm', ['run', '--silent', 'licences'], { cwd: ROOT, encoding: 'utf8' })
  t.equal(checked.status, 0, checked.stderr)
  const unique = new Set(shipped.map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/'))}@${version}`))
  t.equal(checked.stdout, `${unique.size} packages, 0 without an allowed licence\n`)
})

t.test('a forbidden licence is detected', async (t) => {
  const names = (id: string) => [{ license: { id } }]
  const forbidden = {
    one: names('GPL-3.0-only'),
    two: undefined,
    three: [{ expression: 'MIT AND SSPL-1.0' }],
    four: [{ expression: '(MIT OR GPL-3.0-only) AND SSPL-1.0' }],
    '@img/sharp-libvips-x': names('AGPL-3.0-only'),
    five: names('LGPL-3.0-or-later'),
    six: [{ license: { name: 'SEE LICENSE IN LICENSE' } }],
  }
  const allowed = { seven: names('MIT'), eight: [{ expression: '(MIT OR GPL-3.0-only)' }] }
  const checked = licencesOf(Object.entries({ ...forbidden, ...allowed }).map(([name, licenses]) => ({ name, licenses })))
  t.equal(checked.status, 1)
  const found = checked.stderr.split('\n').map((line) => line.split(' ')[0])
  t.same(found, [...Object.keys(forbidden), ''])

  t.equal(licencesOf([]).status, 1, 'nothing to check')
})

function licencesOf(components: unknown[]) {
  const input = JSON.stringify({ components })
  return spawnSync(process.execPath, [join(ROOT, 'supply/licences.mjs')], { input, encoding: 'utf8' })
}

t.test('installs run no scripts of packages, and base images can be pinned', async (t) => {
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
  for (const path of ['.ci/run', 'Dockerfile']) {
    const installs = read(path).match(/^(?!\s*(#|step )).*\bnpm (ci|install)\b.*$/gm) ?? []
    t.ok(installs.length > 0, path)
    for (const line of installs) t.match(line, /npm ci .*--ignore-scripts/, path)
  }
  t.match(read('.ci/run'), /^ *npm run licences$/m)
  const dockerfile = read('Dockerfile')
  t.match(dockerfile, /@sha256:<the digest it prints>/, 'how to pin it')
  for (const [from] of dockerfile.matchAll(/^FROM .*$/gm))
    t.match(from, /\$\{(NODE|REDIS)_IMAGE\}|^FROM service$/, 'each stage: an image that can be pinned, or an earlier stage')
  t.match(read('SECURITY.md'), /^## What is a vulnerability here$.*^## How to report$/ms)
})
