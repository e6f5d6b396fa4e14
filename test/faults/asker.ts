// A client that queries all the time and compares the answers with what was promised.

import { z } from 'zod'
import { images } from '../helpers/multipart.js'
import { is, isNotNow, type Reply } from './client.js'
import type { Entry } from './ledger.js'
import { askOne, hashText, pause, pickApi, type Scene, surprised } from './load.js'

const SMALL_PICTURE = 1
const Results = z.object({ results: z.array(z.object({ matches: z.array(z.unknown()).optional() })) })

export async function askForHashes(scene: Scene): Promise<void> {
  while (!scene.isOver()) {
    const known = sample(scene, hashesIn(scene), 1 + Math.floor(scene.random() * 20))
    const at = pickApi(scene)
    await checkHashes(scene, at, known, (entry, found) => wrong(scene, at, entry, found))
    await pause(scene, 30)
  }
}

export async function askForPictures(scene: Scene): Promise<void> {
  while (!scene.isOver()) {
    const [known] = sample(scene, picturesIn(scene), 1)
    const at = pickApi(scene)
    if (known !== undefined) await checkPicture(scene, at, known, (entry, found) => wrong(scene, at, entry, found))
    await pause(scene, 250)
  }
}

/** Queries for hashes, and for one that was never registered. Calls back for each answer that breaks a promise. */
export async function checkHashes(
  scene: Scene,
  at: number,
  entries: readonly Entry[],
  onBroken: (entry: Entry, found: boolean) => void,
): Promise<Reply> {
  const before = entries.map((entry) => scene.ledger.expected(entry, at))
  const hashes = [...entries.map(({ what }) => what), hashText(scene)]
  const json = { queries: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
  const call = { method: 'POST', path: '/v1/match', json, headers: scene.deployment.headers } as const
  const reply = await askOne(scene, at, call)
  if (!is(reply, 200)) {
    if (!isNotNow(reply)) surprised(scene, call, reply)
    return reply
  }
  const found = Results.parse(reply.json).results.map(({ matches }) => matches !== undefined && matches.length > 0)
  entries.forEach((entry, i) => {
    judge(entry, before[i], found[i] === true, onBroken)
  })
  if (found.at(-1) === true) scene.findings.wrong.push('a hash that nobody handed in matched')
  return reply
}

/** Queries for the picture of an entry; without one for any picture, to see whether querying works. */
export async function checkPicture(
  scene: Scene,
  at: number,
  entry: Entry | undefined,
  onBroken: (entry: Entry, found: boolean) => void,
): Promise<Reply> {
  const [file] = scene.pictures.pictures[entry === undefined ? SMALL_PICTURE : Number(entry.what.slice(8))] ?? []
  if (file === undefined) throw new Error('a picture has a file')
  const { payload, headers } = images([file])
  const before = entry === undefined ? 'either' : scene.ledger.expected(entry, at)
  const call = {
    method: 'POST',
    path: '/v1/match/images',
    body: payload,
    headers: { ...scene.deployment.headers, ...headers },
  } as const
  const reply = await askOne(scene, at, call)
  if (!is(reply, 200)) {
    if (!isNotNow(reply)) surprised(scene, call, reply)
    return reply
  }
  if (entry === undefined) return reply
  const [result] = Results.parse(reply.json).results
  // The picture may have been registered again meanwhile, in another case.
  const isAgain = [...scene.ledger.entries].some((other) => other !== entry && other.what === entry.what && !isOver(other))
  if (!isAgain) judge(entry, before, (result?.matches?.length ?? 0) > 0, onBroken)
  return reply
}

export function hashesIn({ ledger }: Scene): Entry[] {
  return [...ledger.entries].filter(({ what }) => !what.startsWith('picture'))
}

export function picturesIn({ ledger }: Scene): Entry[] {
  return [...ledger.entries].filter(({ what }) => what.startsWith('picture'))
}

/** Of the entries that should be found, only those not being withdrawn before the answer arrived. */
function judge(
  entry: Entry,
  before: string | undefined,
  found: boolean,
  onBroken: (entry: Entry, found: boolean) => void,
): void {
  if (before === 'match' && !entry.isEnding && !found) onBroken(entry, found)
  if (before === 'none' && found) onBroken(entry, found)
}

function isOver({ withdrawnAtMs }: Entry): boolean {
  return withdrawnAtMs !== undefined && performance.now() - withdrawnAtMs > 1000
}

function wrong({ findings }: Scene, at: number, { what }: Entry, found: boolean): void {
  const kind = what.startsWith('picture') ? 'picture' : 'hash'
  findings.wrong.push(found ? `a withdrawn ${kind} matched at api ${at}` : `a registered ${kind} did not match at api ${at}`)
}

function sample<T>({ random }: Scene, all: readonly T[], count: number): T[] {
  return Array.from({ length: Math.min(count, all.length) }, () => all[Math.floor(random() * all.length)]).flatMap((one) =>
    one === undefined ? [] : [one],
  )
}
