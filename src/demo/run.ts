// The main job, shown step by step: register, recognise edited copies, withdraw, search for traces.

import { type Client, clientOf, type Match, type Result } from './demo-client.js'
import type { DemoPicture, Folder } from './folder.js'
import { Evidence } from './left-behind.js'
import { EDITS, type Edit, edited, pixelsOf } from './picture-edits.js'
import { type Progress, type ProgressOptions, progressOf } from './progress.js'
import { type Searched, searchFolder, searchRedis, searchText } from './proof-of-absence.js'
import { KEY_SCOPES, type Service } from './service.js'
import { type Cell, cell, type Paint, short, sizeText, table } from './terminal-table.js'

export interface DemoParts {
  readonly service: Service
  /** Folder of the service's data and temporary files. */
  readonly serviceFolder: string
  readonly folder: Folder
  readonly strangers: readonly DemoPicture[]
  readonly print: (line: string) => void
  readonly paint: Paint
  readonly progress: ProgressOptions
}

const NAME_WIDTH = 20
const WINDOWS_OF_A_PICTURE = 256
const WINDOWS_OF_A_COPY = 32

/** Stops the service before the last search, so that it searches what is left behind. @returns what failed; empty if nothing did */
export async function runDemo(parts: DemoParts): Promise<string[]> {
  const { service, folder, strangers, print } = parts
  const demo = { ...parts, client: clientOf(service.url, service.key), evidence: new Evidence() }
  print(`It serves at ${service.url}, and gave an API key to the organisation Demo, scopes ${KEY_SCOPES.join(' and ')}.`)
  for (const { name, reason } of folder.skipped) print(`Skipped ${name}: ${reason}.`)

  const opened = await demo.client.openCase()
  title(demo, `1. Case ${opened.caseNumber}: add ${counted(folder.pictures.length, 'picture')}`)
  const registered = await register(demo, opened)
  if (registered.length === 0) return ['no picture could be registered']

  title(demo, '2. A platform asks about edited copies')
  const asked = await askAboutEdits(demo, registered)
  printEdits(demo, asked)

  title(demo, `3. It asks about ${counted(strangers.length, 'picture')} that nobody registered`)
  const strange = await askAboutStrangers(demo)

  title(demo, '4. The case is withdrawn')
  await demo.client.withdraw(opened)
  print('Answered: from now on nothing of it may match.')
  const still = await askAgain(demo, registered)
  print(
    `Asked again about every picture and every copy: ${counted(still.asked, 'question')}, ${counted(still.matched, 'match', 'matches')}.`,
  )

  title(demo, '5. Is anything of the pictures left?')
  const left = await lookForRemains(demo)
  return [
    ...missesOf(asked),
    ...strange.map((name) => `${name} matched, and is a stranger`),
    ...(still.matched > 0 ? [`${counted(still.matched, 'question')} matched after the withdrawal`] : []),
    ...left,
  ]
}

interface Demo extends DemoParts {
  readonly client: Client
  readonly evidence: Evidence
}

interface Asked {
  readonly picture: DemoPicture
  /** In the order of EDITS. */
  readonly answers: readonly { readonly edit: Edit; readonly result: Result }[]
}

type Opened = Awaited<ReturnType<Client['openCase']>>

async function register({ client, evidence, folder, print, paint, ...demo }: Demo, opened: Opened): Promise<DemoPicture[]> {
  const registered: DemoPicture[] = []
  const rows: Cell[][] = []
  await withProgress(progressOf('adding', folder.pictures.length, demo.progress), folder.pictures, async (picture) => {
    const bytes = await picture.read()
    evidence.add(bytes, WINDOWS_OF_A_PICTURE)
    const { problem, quality } = await client.register(opened, { bytes, contentType: picture.contentType })
    if (problem === undefined) {
      registered.push(picture)
      evidence.add(await pixelsOf(bytes), WINDOWS_OF_A_PICTURE)
    }
    const outcome =
      problem === undefined ? cell(`quality ${quality ?? 'unknown'}`) : cell(`not taken: ${problem.title}`, 'bad')
    rows.push([nameOf(picture), cell(sizeText(bytes.length), 'dim'), outcome])
  })
  for (const line of table(rows, paint)) print(line)
  return registered
}

async function askAboutEdits({ client, evidence, ...demo }: Demo, pictures: readonly DemoPicture[]): Promise<Asked[]> {
  const asked: Asked[] = []
  await withProgress(progressOf('asking', pictures.length, demo.progress), pictures, async (picture) => {
    const copies = await copiesOf(picture)
    for (const { bytes } of copies) evidence.add(bytes, WINDOWS_OF_A_COPY)
    const results = await client.match(copies)
    asked.push({ picture, answers: EDITS.map((edit, index) => ({ edit, result: results[index] ?? NOT_ANSWERED })) })
  })
  return asked
}

const NOT_ANSWERED: Result = { problem: { title: 'not answered' } }

function copiesOf(picture: DemoPicture) {
  return picture
    .read()
    .then((file) =>
      Promise.all(EDITS.map(async (edit) => ({ bytes: await edited(file, edit), contentType: edit.contentType }))),
    )
}

function printEdits({ print, paint }: Demo, asked: readonly Asked[]): void {
  const head = [cell('', 'dim'), ...EDITS.map(({ name }) => cell(name, 'dim'))]
  const rows = asked.map(({ picture, answers }) => [nameOf(picture), ...answers.map(({ result }) => answerCell(result))])
  for (const line of table([head, ...rows], paint)) print(line)
  print('')
  const answers = asked.flatMap((row) => row.answers)
  const found = answers.filter(({ result }) => isMatch(result)).length
  print(`Found ${found} of ${answers.length} copies, missed ${answers.length - found}.`)
  print(`Beneath each grade: how many of 256 bits differ, in the hash that is nearest (${nearestTypes(answers)}).`)
  for (const { name, mayBeMissed } of EDITS) {
    const misses = answers.filter(({ edit, result }) => edit.name === name && !isMatch(result)).length
    if (misses > 0) print(`  ${name}: ${misses} missed${mayBeMissed ? ', which hashes cannot always prevent' : ''}.`)
  }
}

/** Distances are comparable only within one type of hash. */
function nearestTypes(answers: Asked['answers']): string {
  const types = answers.flatMap(({ result }) => result.matches?.[0]?.signalType ?? [])
  const distinct = [...new Set(types)].toSorted()
  return distinct.map((type) => `${type} ${types.filter((each) => each === type).length} times`).join(', ')
}

async function askAboutStrangers({ client, evidence, strangers, print, paint }: Demo): Promise<string[]> {
  const uploads = await Promise.all(strangers.map(async ({ read, contentType }) => ({ bytes: await read(), contentType })))
  for (const { bytes } of uploads) evidence.add(bytes, WINDOWS_OF_A_COPY)
  const results = await client.match(uploads)
  const rows = strangers.map((picture, index) => {
    const result = results[index] ?? NOT_ANSWERED
    return {
      picture,
      isFine: result.matches?.length === 0,
      shown: isMatch(result) ? answerCell(result) : strangerCell(result),
    }
  })
  for (const line of table(
    rows.map(({ picture, shown }) => [nameOf(picture), shown]),
    paint,
  ))
    print(line)
  return rows.filter(({ isFine }) => !isFine).map(({ picture }) => picture.name)
}

async function askAgain({ client, ...demo }: Demo, pictures: readonly DemoPicture[]) {
  let asked = 0
  let matched = 0
  await withProgress(progressOf('asking again', pictures.length, demo.progress), pictures, async (picture) => {
    const original = { bytes: await picture.read(), contentType: picture.contentType }
    const results = await client.match([original, ...(await copiesOf(picture))])
    asked += results.length
    matched += results.filter(isMatch).length
  })
  return { asked, matched }
}

async function lookForRemains({ service, serviceFolder, evidence, folder, print, paint }: Demo): Promise<string[]> {
  const control = await controlOf(folder, evidence)
  const redis = await searchRedis(service.redis, evidence)
  await service.stop()
  const files = await searchFolder(serviceFolder, evidence)
  const output = searchText(service.output(), evidence)
  const places: readonly (readonly [string, Searched])[] = [
    [`${counted(redis.items, 'Redis key')} with their values`, redis],
    [`${counted(files.items, 'file')} of the data and temporary folders`, files],
    ['all that was logged', output],
  ]
  print(`Looked for ${evidence.windows} pieces of 32 bytes, cut from all that was sent and from its pixels,`)
  print('as bytes, hex, base64 and JSON; in the files after everything had stopped.')
  const rows = places.map(([place, { bytes, found }]) => [
    cell(place),
    cell(sizeText(bytes)),
    cell(`${found} found`, found === 0 ? 'good' : 'bad'),
  ])
  for (const line of table(rows, paint)) print(line)
  print(control.found > 0 ? 'The same search finds them in a picture itself, so it can find.' : '')
  return [
    ...places.flatMap(([place, { found }]) => (found > 0 ? [`${found} pieces of pictures in ${place}`] : [])),
    ...(control.found > 0 ? [] : ['the search for remains does not find what is there']),
  ]
}

/** Checks that the search finds pieces where they are, in a picture itself. Otherwise finding none elsewhere would prove nothing. */
async function controlOf({ pictures }: Folder, evidence: Evidence): Promise<{ readonly found: number }> {
  const [picture] = pictures
  return picture === undefined ? { found: 0 } : searchText(await picture.read(), evidence)
}

function missesOf(asked: readonly Asked[]): string[] {
  return asked.flatMap(({ picture, answers }) =>
    answers
      .filter(({ edit, result }) => edit.mayBeMissed === undefined && !isMatch(result))
      .map(({ edit }) => `${picture.name}, ${edit.name}: not found`),
  )
}

function isMatch({ matches }: Result): boolean {
  return matches !== undefined && matches.length > 0
}

function answerCell({ matches, problem }: Result): Cell {
  const [nearest] = matches ?? []
  if (nearest !== undefined)
    return { lines: [nearest.grade, bandOf(nearest)], tone: nearest.grade === 'near' ? 'fair' : 'good' }
  return problem === undefined
    ? cell('missed', 'bad')
    : { lines: ['refused', short(problem.title, NAME_WIDTH)], tone: 'bad' }
}

function strangerCell({ problem }: Result): Cell {
  return problem === undefined ? cell('no match', 'good') : cell(`refused: ${problem.title}`, 'bad')
}

function bandOf({ distanceBand, distanceBits }: Match): string {
  return distanceBits === undefined || distanceBand === '0' ? distanceBand : `${distanceBand} (${distanceBits})`
}

function nameOf({ name }: DemoPicture): Cell {
  return cell(short(name, NAME_WIDTH))
}

function title({ print }: Demo, text: string): void {
  print('')
  print(text)
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

async function withProgress<T>(progress: Progress, items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  try {
    for (const item of items) {
      await use(item)
      progress.step()
    }
  } finally {
    progress.end()
  }
}
