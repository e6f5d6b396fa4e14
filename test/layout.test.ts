// The layout of files: which folders of services and store may import which, no circular imports, the size of folders, files
// and functions, and which files may share a name.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative, resolve } from 'node:path'
import t from 'tap'
import ts from 'typescript'

/** Within src/services and src/store: which other folders of the same layer a folder may import. Type-only imports count. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'services/banks': ['index', 'load', 'records'],
  'services/cases': ['index', 'load', 'records'],
  'services/feed': ['index', 'matching', 'records'],
  'services/index': ['load'],
  'services/intake': ['banks', 'cases', 'index', 'load', 'matching'],
  'services/interop': ['banks', 'feed', 'index', 'intake', 'load', 'matching', 'trust'],
  'services/keys': ['index'],
  'services/load': [],
  'services/matching': ['index', 'load'],
  'services/ops': ['index', 'interop', 'load', 'records'],
  'services/records': ['load'],
  'services/trust': ['cases', 'index', 'intake', 'load', 'matching'],
  'services/watch': ['index', 'load', 'matching', 'records'],
  'services/webhooks': ['load', 'matching', 'records', 'trust'],
  'store/audit': ['redis', 'scripts'],
  'store/cases': ['audit', 'redis', 'scripts'],
  'store/embedded': [],
  'store/exchange': ['redis', 'scripts', 'sealing'],
  'store/images': ['audit', 'redis', 'scripts', 'sealing'],
  'store/organisations': ['audit', 'exchange', 'redis', 'scripts'],
  'store/redis': ['scripts'],
  'store/scripts': [],
  'store/sealing': ['audit', 'redis', 'scripts'],
  'store/trust': ['audit', 'organisations', 'redis', 'scripts', 'sealing'],
  'store/upkeep': ['exchange', 'images', 'redis', 'scripts', 'sealing', 'trust', 'watch', 'webhooks'],
  'store/watch': ['images', 'redis', 'scripts', 'sealing'],
  'store/webhooks': ['audit', 'redis', 'scripts', 'sealing'],
}
const MAX_FILES = 25
/** Files of the same name mirror each other: at most one in each of these, and none elsewhere. */
const LAYERS = [
  ...['src/store/scripts/', 'src/store/', 'src/services/', 'src/domain/', 'src/http/routes/', 'src/cli/', 'src/jobs/'],
  ...['workers/', 'console/panels/'],
]
const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 80
const root = resolve(import.meta.dirname, '../..')
const allSources = ['src', 'packages', 'workers', 'page', 'console'].flatMap((top) => sourcesUnder(top))
const checks = ['test', 'bench', 'fuzz', 'examples', 'supply'].flatMap((top) => sourcesUnder(top, /\.(ts|mjs)$/))
const files = allSources.filter((name) => !name.includes('kernel/'))
const importsOf = new Map(files.map((file) => [file, importsIn(file)]))

t.test('folders of services and store import only allowed folders', async (t) => {
  for (const [file, targets] of importsOf) {
    const folder = folderOf(file)
    if (folder === undefined) continue
    for (const target of targets) {
      const other = folderOf(target)
      if (other === undefined || other === folder || layerOf(other) !== layerOf(folder)) continue
      t.ok(ARROWS[folder]?.includes(other.slice(layerOf(other).length + 1)), `${file} imports ${target}`)
    }
  }
})

t.test('the table of imports has each folder and no circles', async (t) => {
  const folders = new Set(files.flatMap((file) => folderOf(file) ?? []))
  t.same(Object.keys(ARROWS).toSorted(), [...folders].toSorted())
  const graph = new Map(Object.entries(ARROWS).map(([from, to]) => [from, to.map((folder) => `${layerOf(from)}/${folder}`)]))
  t.same(circlesIn(graph), [])
})

t.test('no files import each other in a circle', async (t) => {
  t.same(circlesIn(importsOf), [])
  t.same(
    circlesIn(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', []],
        ['d', ['a']],
      ]),
    ),
    [['a', 'b', 'd']],
    'a circle would be found',
  )
})

t.test('a folder has at most 25 files', async (t) => {
  const counts = new Map<string, number>()
  const all = ['src', 'packages', 'workers', 'page', 'console'].flatMap((top) => sourcesUnder(top, /./))
  for (const file of all) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  for (const [folder, count] of counts) t.ok(count <= MAX_FILES, `${folder}: ${count} files`)
})

t.test('files share a name only where one mirrors the other', async (t) => {
  const named = new Map<string, string[]>()
  for (const file of files) {
    const name = basename(file).replace(/\.tsx?$/, '')
    named.set(name, [...(named.get(name) ?? []), file])
  }
  const wrong = [...named].filter(([, same]) => same.length > 1 && !areMirrors(same)).map(([name]) => name)
  t.same(wrong, [])
  t.ok(areMirrors(['src/services/banks/banks.ts', 'src/store/organisations/banks.ts']))
  t.notOk(areMirrors(['src/services/banks/banks.ts', 'src/services/interop/banks.ts']), 'not in one layer')
  t.notOk(areMirrors(['src/services/feed/feed.ts', 'src/exchange/feed.ts']), 'not outside of layers')
})

function areMirrors(same: readonly string[]): boolean {
  const layers = same.map((file) => LAYERS.find((layer) => file.startsWith(layer)))
  return !layers.includes(undefined) && new Set(layers).size === same.length
}

t.test('files and functions are short', async (t) => {
  for (const file of allSources) {
    const text = readFileSync(join(root, file), 'utf8')
    const lines = text.split('\n').length - 1
    t.ok(lines <= MAX_FILE_LINES, `${file}: ${lines} lines`)
    t.same(longFunctionsIn(file, text), [])
  }
  const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1
  t.same(
    checks.filter((file) => linesOf(file) > MAX_FILE_LINES),
    [],
  )
  const body = 'x()\n'.repeat(MAX_FUNCTION_LINES - 1)
  t.same(longFunctionsIn('a.ts', `\nfunction short() {\n${body}}`.replace('x()\n', '')), [])
  t.same(longFunctionsIn('a.ts', `\nconst long = () => {\n${body}}`), ['a.ts:2: 81 lines'], 'a long one would be found')
})

function longFunctionsIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(
    file,
    text,
    ts.ScriptTarget.ESNext,
    true,
    file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  )
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const first = lineOf(node.getStart(source))
      const lines = lineOf(node.end) - first + 1
      if (lines > MAX_FUNCTION_LINES) found.push(`${file}:${first + 1}: ${lines} lines`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `src/services/banks/exports.ts` → `services/banks`. */
function folderOf(file: string): string | undefined {
  return /^src\/((?:services|store)\/[^/]+)\//.exec(file)?.[1]
}

function layerOf(folder: string): string {
  return folder.split('/')[0] ?? ''
}

/** @returns what can be reached from itself, in groups. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const reached = new Map([...graph.keys()].map((from) => [from, reachableFrom(from, graph)]))
  const groups = new Map<string, string[]>()
  for (const [from, all] of reached) {
    if (!all.has(from)) continue
    const group = [...all].filter((other) => reached.get(other)?.has(from)).toSorted()
    groups.set(group.join(), group)
  }
  return [...groups.values()]
}

function reachableFrom(from: string, graph: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>()
  const open = [...(graph.get(from) ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(graph.get(next) ?? []))
  }
  return seen
}

function importsIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+'(\.[^']+)'/gm)
  return Array.from(found, ([, specifier = '']) => normalize(join(dirname(file), specifier)).replace(/\.js$/, '')).flatMap(
    (name) => files.filter((other) => other === `${name}.ts` || other === `${name}.tsx`),
  )
}

function sourcesUnder(top: string, named = /\.tsx?$/): string[] {
  return readdirSync(join(root, top), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((name) => named.test(basename(name)) && !/(dist|node_modules)\//.test(name) && !name.endsWith('.generated.ts'))
}
