// What is shipped beside our own code: known, unchanged, and under terms that allow it.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
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
/** From elsewhere: the packages of this repository are links to their folders. */
const fetched = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
const shipped = fetched.filter(([, { dev }]) => dev !== true)

const Bom = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  version: z.literal(1),
  metadata: z.object({ component: z.object({ 'bom-ref': z.string(), name: z.literal('tabir') }) }),
  components: z.array(
    z.object({
      type: z.literal('library'),
      'bom-ref': z.string(),
      name: z.string().min(1),
      version: z.string().min(1),
      scope: z.enum(['required', 'optional']),
      purl: z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@[\w.%+-]+$/),
      hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) })).length(1),
      licenses: z
        .array(z.union([z.object({ license: z.object({ id: z.string() }) }), z.object({ expression: z.string() })]))
        .max(1),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

function run(script: string, ...args: string[]) {
  return spawnSync(process.execPath, [join(ROOT, 'supply', script), ...args], { cwd: ROOT, encoding: 'utf8' })
}

t.test('the bill of materials names every package that may be installed, with its digest, and who needs it', async (t) => {
  const out = join(t.testdir(), 'bom.json')
  t.equal(run('sbom.mjs', '--out', out).status, 0)
  const text = readFileSync(out, 'utf8')
  const bom = Bom.parse(JSON.parse(text))

  const refs = new Set(bom.components.map((component) => component['bom-ref']))
  t.equal(refs.size, bom.components.length, 'each once')
  t.same(
    new Set(bom.components.map(({ name, version }) => `${name}@${version}`)),
    new Set(shipped.map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`)),
  )
  const needed = new Set([bom.metadata.component['bom-ref']])
  for (const ref of needed)
    for (const on of bom.dependencies.find((each) => each.ref === ref)?.dependsOn ?? []) needed.add(on)
  t.same(
    [...refs].filter((ref) => !needed.has(ref)),
    [],
    'all can be reached from Tabir itself',
  )

  t.equal(run('sbom.mjs', '--out', out).status, 0)
  t.equal(readFileSync(out, 'utf8'), text, 'the same lock file gives the same bytes')
})

t.test('every package is pinned by a digest, and by no address that an install would have to trust', async (t) => {
  for (const [path, { integrity, resolved }] of fetched) {
    t.match(integrity, /^sha512-/, path)
    t.equal(resolved, undefined, path)
  }
  for (const [path, { link, resolved }] of Object.entries(lock.packages))
    if (link) t.match(resolved, /^packages\/\w+$/, path)
})

t.test('all that is shipped is under terms that allow it; what is not would be seen', async (t) => {
  const checked = run('licences.mjs')
  t.equal(checked.status, 0, checked.stderr)
  for (const [name, license] of Object.entries({
    one: 'GPL-3.0-only',
    two: undefined,
    three: 'MIT AND SSPL-1.0',
    '@img/sharp-libvips-x': 'AGPL-3.0-only',
    four: 'LGPL-3.0-or-later',
  })) {
    const path = join(t.testdir(), 'lock.json')
    const packages = { '': { name: 'x', version: '1.0.0' }, [`node_modules/${name}`]: { version: '1.0.0', license } }
    writeFileSync(path, JSON.stringify({ lockfileVersion: 3, packages }))

    const refused = run('licences.mjs', '--lock', path)
    t.equal(refused.status, 1, name)
    t.match(refused.stderr, name)
  }
})

t.test('what installs runs no script of a package, and what an image is built on can be pinned', async (t) => {
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
  for (const path of ['.ci/run', 'Dockerfile']) {
    const installs = read(path).match(/^(?!\s*#|step ).*\bnpm (ci|install)\b.*$/gm) ?? []
    t.ok(installs.length > 0, path)
    for (const line of installs) t.match(line, /npm ci .*--ignore-scripts/, path)
  }
  t.match(read('.ci/run'), /^npm run licences$/m)
  const dockerfile = read('Dockerfile')
  t.match(dockerfile, /@sha256:<the digest it prints>/, 'how to pin it')
  for (const [from] of dockerfile.matchAll(/^FROM .*$/gm))
    t.match(from, /\$\{(NODE|REDIS)_IMAGE\}|^FROM service$/, 'each stage: an image that can be pinned, or an earlier stage')
  t.match(read('SECURITY.md'), /^## What is a vulnerability here$.*^## How to report$/ms)
})
