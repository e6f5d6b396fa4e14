// The documents are right about links, paths, commands, folders, keys, metrics and quoted figures, and stay short.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { ownValue } from '../packages/core/src/own-value.js'
import { rowsOf } from './helpers/inventory.js'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const markdownIn = (folder: string, recursive = false) =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const GUIDES = [...markdownIn('.'), ...markdownIn('docs')]
const DECISIONS = markdownIn('docs/decisions')
const RECORDS = markdownIn('bench/record')

t.test('every link leads to an existing file and heading', async (t) => {
  for (const file of [...GUIDES, ...DECISIONS, ...RECORDS]) {
    const text = withoutCode(read(file))
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(([, link, source]) => link ?? source ?? '')
    for (const link of links) {
      if (/^(https?:|mailto:)/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      if (!existsSync(join(root, target))) t.fail(`${file}: ${link}`)
      else if (anchor !== undefined && !anchorsOf(read(target)).has(anchor)) t.fail(`${file}: ${link} has no such heading`)
    }
  }
})

t.test('every path in a guide exists', async (t) => {
  const tops = 'src|test|workers|page|console|bench|fuzz|docs|deploy|demo|examples|supply|harmless|bin|dist|\\.ci|\\.github'
  const path = new RegExp(`(?<![\\w./-])((?:${tops})/[\\w./-]*[\\w/])(?![\\w*<…-])`, 'g')
  let seen = 0
  for (const file of GUIDES)
    for (const [, named = ''] of read(file).matchAll(path)) {
      // What is built has its source here.
      const source = named.replace(/^dist\/(.*)\.js$/, '$1.ts').replace(/^dist\/?$/, 'src')
      seen++
      if (!existsSync(join(root, source))) t.fail(`${file}: ${named}`)
    }
  t.ok(seen > 300, 'all of them are read')
})

t.test('every source file that a guide, a decision or a comment names exists', async (t) => {
  const sources = ['src', 'packages', 'workers', 'page', 'console', 'test', 'bench', 'fuzz', 'supply', 'examples', '.']
    .flatMap((top) =>
      readdirSync(join(root, top), { recursive: top !== '.', encoding: 'utf8' }).map((name) => join(top, name)),
    )
    .filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !/node_modules|dist\//.test(path))
  const ends = new Set(sources.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(i).join('/'))))
  const inText = [...GUIDES, ...DECISIONS].flatMap((file) =>
    [...read(file).matchAll(/`([\w./-]+\.(?:ts|tsx|mjs))`/g)].map(([, named = '']) => ({ file, named })),
  )
  const inComments = sources.flatMap((file) =>
    (read(file).match(/(^\s*(\/\/|\*|\/\*|--)|\s\/\/ ).*/gm) ?? []).flatMap((comment) =>
      [...comment.matchAll(/(?<![\w@])([\w-][\w./-]*\.(?:ts|tsx|mjs))\b/g)].map(([, named = '']) => ({ file, named })),
    ),
  )
  t.ok(inText.length > 100 && inComments.length > 100, 'all of them are read')
  for (const { file, named } of [...inText, ...inComments])
    if (!ends.has(named) && !named.startsWith('dist/')) t.fail(`${file}: ${named}`)
})

t.test('every command in a guide is in package.json', async (t) => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')))
  for (const file of GUIDES)
    for (const [, name = ''] of read(file).matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g))
      if (name !== 'bench:NAME') t.ok(scripts[name] !== undefined, `${file}: npm run ${name}`)
})

const PACKAGES = ['client', 'core', 'feed', 'hash'].map((name) => `packages/${name}/src`)

t.test('the diagram of the architecture has exactly the existing folders', async (t) => {
  const [, picture = ''] = /^## The folders$[\s\S]*?^```\n([\s\S]*?)^```$/m.exec(read('docs/architecture.md')) ?? []
  const drawn = picture
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /^(?:[A-Z]+)? +([\w/-]+)(?: |$)/.exec(line)?.[1] ?? line)
  const folders = ['src', 'workers', 'page', 'console', ...PACKAGES].flatMap((top) => [top, ...foldersUnder(top)])
  t.same(drawn.toSorted(), folders.toSorted())
})

t.test('the data inventory has every key of Redis and every metric', async (t) => {
  const inventory = read('docs/data-inventory.md')
  const rows = rowsOf(inventory).filter(({ name }) => !/^hash-(?:image|video):<n>$/.test(name)) // those of BullMQ are not ours
  // Some parts of a name are composed by their callers.
  const composed = { limit: ['0:0:0'], reconciler: ['0', '0:0'], context: ['h0', 'd0'] } as const
  const forms = [...read('src/store/redis/keys.ts').matchAll(/`\$\{TAG\}:([^`*]+)`/g)].map(([, name = '']) => {
    const given = ownValue(composed, name.split(':')[0] ?? '') ?? ['0']
    return given.map((part) => name.replace(/\$\{(?:name|span)\}/, part).replace(/\$\{[^}]+\}/g, '0'))
  })
  t.ok(forms.length > 80)
  const isListed = (name: string) => rows.some(({ name: row, pattern }) => !row.endsWith('*') && pattern.test(name))
  t.same(
    forms.filter((names) => !names.some(isListed)),
    [],
    'each key is in the inventory',
  )
  const isOurs = (pattern: RegExp) => forms.flat().some((name) => pattern.test(name))
  t.same(
    rows.filter(({ name, pattern }) => !name.endsWith('*') && !isOurs(pattern)),
    [],
    'each key of the inventory exists',
  )
  const metrics = sourcesUnder('src/http/metrics').flatMap((file) => read(file).match(/(?<=')tabir_[a-z_]+(?=')/g) ?? [])
  t.ok(metrics.length > 30)
  for (const metric of new Set(metrics)) if (!inventory.includes(`\`${metric}\``)) t.fail(`metric ${metric}`)
})

t.test('quoted figures equal the recorded ones', async (t) => {
  const robustness = Recorded.parse(JSON.parse(read('bench/record/robustness.json')))
  const page = read('docs/robustness.md')
  const runs = { hash: ['tabir', 'pdq', 'pdqDihedral', 'imghash'], service: ['hash', 'tabir'] } as const
  for (const [stage, methods] of Object.entries(runs)) {
    const run = robustness.find((each) => each.stage === stage && each.groups.some(({ name }) => name === 'unseen'))
    t.ok(run, stage)
    for (const { name, percent } of run?.groups ?? []) {
      const figures = methods.map((method) => percent[method]?.toFixed(1) ?? '?')
      const row = page.split('\n').find((line) => figuresIn(line).join().startsWith(figures.join()) && line.includes(name))
      t.ok(row, `robustness: ${name} ${figures.join(' ')}`)
      const quoted = stage === 'hash' && figures.filter((_, i) => i === 0 || i === 2).map(Number)
      if (quoted)
        t.ok(
          readmeRows().some((row) => String(row) === String(quoted)),
          `README: ${name} ${quoted}`,
        )
    }
  }
  const pictures = z
    .array(
      z.object({
        rows: z.number(),
        pictures: z.number(),
        coreMsP50: z.number(),
        coreMsP99: z.number(),
        copyMsP50: z.number(),
        recall: z.number(),
        bytesPerPicture: z.number(),
      }),
    )
    .parse(JSON.parse(read('bench/record/picture.json')))
  t.ok(pictures.length > 0)
  for (const one of pictures) {
    const times = [one.coreMsP50, one.coreMsP99, one.copyMsP50, one.recall].map((figure) => figure.toFixed(1))
    const cells = [
      `${(one.rows / 1e6).toFixed(2)} M`,
      one.pictures.toLocaleString('en'),
      ...times,
      `${(one.bytesPerPicture / 1000).toFixed(1)} kB`,
    ]
    t.ok(read('docs/scaling.md').includes(`| ${cells.join(' | ')} |`), `scaling: ${cells.join(' | ')}`)
  }
  const { directions } = z
    .object({
      directions: z.array(
        z.object({ registered: z.string(), queried: z.string(), queries: z.number(), hashes: z.number(), both: z.number() }),
      ),
    })
    .parse(JSON.parse(read('bench/record/directions.json')))
  for (const { registered, queried, queries, hashes, both } of directions) {
    const row = `| ${registered} | ${queried} | ${queries} | ${hashes.toFixed(1)} | ${both.toFixed(1)} |`
    t.ok(page.includes(row), `robustness: ${row}`)
  }
  t.equal(directions.length, 4)
  const searches = z
    .array(z.object({ corpus: z.string(), rows: z.number(), threshold: z.number(), p50Us: z.number() }))
    .parse(JSON.parse(read('bench/record/search.json')))
  const took = (corpus: string, rows: number, threshold: number) =>
    searches.find((one) => one.corpus === corpus && one.rows === rows && one.threshold === threshold)?.p50Us ?? 0
  for (const corpus of ['uniform', 'skewed']) {
    const [small, large, huge] = [1e6, 1e7, 1e8].map((rows) => took(corpus, rows, 31))
    const text = `${small?.toFixed(0)} µs, ${large?.toFixed(0)} µs, ${((huge ?? 0) / 1000).toFixed(2)} ms`
    t.ok(read('docs/performance.md').includes(text), `performance: ${text}`)
  }
})

t.test('documents are short, and the glossary has at most sixty terms', async (t) => {
  const guides = markdownIn('docs').reduce((sum, file) => sum + wordsOf(file), 0)
  t.ok(guides <= 28_000, `docs without decisions have ${guides} words`)
  const all = markdownIn('docs')
    .concat(DECISIONS)
    .reduce((sum, file) => sum + textsOf(file).length, 0)
  t.ok(all <= 40_000, `docs have ${all} words`)
  const readme = textsOf('README.md').length
  t.ok(readme <= 1500, `README has ${readme} words`)
  const terms = read('docs/glossary.md').match(/^\| (?!term \||---)/gm)?.length ?? 0
  t.ok(terms > 40 && terms <= 60, `${terms} terms`)
})

t.test('the service, the packages and the API description have the same version, and the changelog names it', async (t) => {
  const Manifest = z.object({
    version: z.string(),
    dependencies: z.record(z.string(), z.string()).default({}),
  })
  const manifest = (folder: string) => Manifest.parse(JSON.parse(read(join(folder, 'package.json'))))
  const { version } = manifest('.')
  const packages = readdirSync(join(root, 'packages'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  t.ok(packages.length >= 3, 'all packages are read')
  for (const { name: one } of packages) {
    const folder = join('packages', one)
    const { version: own, dependencies } = manifest(folder)
    t.equal(own, version, folder)
    for (const [name, wanted] of Object.entries(dependencies))
      if (name.startsWith('@tabir/')) t.equal(wanted, version, `${folder}: ${name}`)
  }
  t.match(read('openapi.yaml'), `\n  version: ${version}\n`)
  t.ok(read('CHANGELOG.md').includes(version), 'CHANGELOG.md')
})

t.test('every file names the same version of Node', async (t) => {
  const major = read('.nvmrc').trim()
  t.match(read('Dockerfile'), `NODE_IMAGE=node:${major}-`)
  t.match(read('.github/workflows/ci.yml'), `image: node:${major}-`)
  t.match(read('.github/workflows/ci.yml'), /run: \.ci\/run /)
})

const Recorded = z.array(
  z.object({
    stage: z.string().optional(),
    groups: z.array(z.object({ name: z.string(), percent: z.record(z.string(), z.number()) })),
  }),
)

/** Numbers in the cells of a row, without the column of counts. */
function figuresIn(row: string): string[] {
  return row.match(/\b\d+\.\d\b/g) ?? []
}

/** The two figures of each row of the README's table of edits. */
function readmeRows(): number[][] {
  const [, part = ''] = read('README.md').split('## What it finds')
  return (part.split('\n## ')[0] ?? '')
    .split('\n')
    .map((line) => [...line.matchAll(/\| \**(\d+(?:\.\d)?)\**(?= \|)/g)].map(([, figure]) => Number(figure)))
}

/** Counted as `wc -w` does. */
function textsOf(file: string): string[] {
  return read(file).split(/\s+/).filter(Boolean)
}

/** Without punctuation that stands alone, as in tables. */
function wordsOf(file: string): number {
  return textsOf(file).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '``')
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>()
  const headings = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)].map(
    ([, heading = '']) => heading,
  )
  return new Set(
    headings.map((heading) => {
      const slug = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')
      const times = seen.get(slug) ?? 0
      seen.set(slug, times + 1)
      return times === 0 ? slug : `${slug}-${times}`
    }),
  )
}

function foldersUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(join(root, path)).isDirectory())
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}
