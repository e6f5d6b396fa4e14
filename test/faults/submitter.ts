// A submitter who opens cases, registers hashes and pictures, and withdraws.

import { z } from 'zod'
import { images } from '../helpers/multipart.js'
import { is, isNotNow, type Reply } from './client.js'
import type { Entry } from './ledger.js'
import { hashText, insist, pause, type Scene } from './load.js'

const Opened = z.object({ caseNumber: z.string(), recoveryCode: z.string(), token: z.string() })
const Token = z.object({ token: z.string() })
const CaseState = z.object({ state: z.string(), images: z.int() })

interface OwnCase {
  readonly path: string
  readonly recoveryCode: string
  token: string
  readonly entries: Entry[]
}

/** Cases that stay open, to be checked in the end; beyond this number the oldest is withdrawn. */
const MAX_OPEN = 8

export async function submit(scene: Scene, freePictures: number[]): Promise<void> {
  const open: OwnCase[] = []
  while (!scene.isOver()) {
    const own = await openCase(scene)
    if (own === undefined) return
    open.push(own)
    for (let i = 0; i < 2 + Math.floor(scene.random() * 5); i++) {
      await addHashes(scene, own)
      await pause(scene, 40)
    }
    if (scene.random() < 0.5) await addPicture(scene, own, freePictures)
    await look(scene, own)
    if (scene.random() < 0.6 || open.length > MAX_OPEN) {
      const [ending] = open.splice(scene.random() < 0.5 ? 0 : open.length - 1, 1)
      if (ending !== undefined) await withdraw(scene, ending, freePictures)
    }
  }
}

async function openCase(scene: Scene): Promise<OwnCase | undefined> {
  const call = { method: 'POST', path: '/v1/cases', json: { adult: true } } as const
  const done = await insist(scene, call, (reply) => is(reply, 201) || unless(isNotNow(reply)))
  if (done === undefined) return undefined
  const { caseNumber, recoveryCode, token } = Opened.parse(done.reply.json)
  scene.ledger.noted()
  return { path: `/v1/cases/${caseNumber}`, recoveryCode, token, entries: [] }
}

async function addHashes(scene: Scene, own: OwnCase): Promise<void> {
  const entries = Array.from({ length: 1 + Math.floor(scene.random() * 3) }, () => scene.ledger.add(hashText(scene)))
  own.entries.push(...entries)
  const json = { images: entries.map(({ what }) => ({ signals: [{ type: 'pdq', hash: what, quality: 90 }] })) }
  const done = await asOwner(scene, own, { method: 'POST', path: `${own.path}/hashes`, json }, (reply) => is(reply, 201))
  if (done !== undefined) for (const entry of entries) scene.ledger.registered(entry, done.at)
}

async function addPicture(scene: Scene, own: OwnCase, freePictures: number[]): Promise<void> {
  const number = freePictures.shift()
  if (number === undefined) return
  const files = scene.pictures.pictures[number] ?? []
  const file = files[Math.floor(scene.random() * files.length)]
  if (file === undefined) return
  const { payload, headers } = images([file])
  const entry = scene.ledger.add(`picture ${number}`)
  own.entries.push(entry)
  const call = { method: 'POST', path: `${own.path}/images`, body: payload, headers } as const
  const done = await asOwner(scene, own, call, (reply) => is(reply, 201))
  if (done !== undefined) scene.ledger.registered(entry, done.at)
}

/** An open case has what was registered, no more than was sent, and does not end by itself. */
async function look(scene: Scene, own: OwnCase): Promise<void> {
  const least = own.entries.filter(({ registeredAtMs }) => registeredAtMs !== undefined).length
  const done = await asOwner(scene, own, { method: 'GET', path: own.path }, (reply) => is(reply, 200))
  if (done === undefined) return
  const { state, images: count } = CaseState.parse(done.reply.json)
  if (count < least) scene.findings.lost.push(`${least - count} images of a case`)
  if (count > own.entries.length)
    scene.findings.wrong.push(`a case has ${count} images, and was given ${own.entries.length}`)
  if (state !== 'open' && state !== 'active') scene.findings.wrong.push(`a case is ${state} by itself`)
}

async function withdraw(scene: Scene, own: OwnCase, freePictures: number[]): Promise<void> {
  for (const entry of own.entries) scene.ledger.ending(entry)
  const done = await asOwner(scene, own, { method: 'DELETE', path: own.path }, (reply) => is(reply, 200))
  if (done === undefined) return
  for (const entry of own.entries) scene.ledger.withdrawn(entry, done.at)
  const after = await asOwner(scene, own, { method: 'GET', path: own.path }, (reply) => is(reply, 200))
  if (after !== undefined && CaseState.parse(after.reply.json).images !== 0)
    scene.findings.wrong.push('a withdrawn case has images')
  for (const { what } of own.entries) if (what.startsWith('picture')) freePictures.push(Number(what.slice(8)))
}

type OwnCall = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  json?: unknown
  body?: Buffer
  headers?: Record<string, string>
}

/** With the token of the case; if that was lost, as tokens may be, with a new one for the PIN. */
async function asOwner(scene: Scene, own: OwnCase, call: OwnCall, isDone: (reply: Reply) => boolean) {
  for (;;) {
    let hasLostToken = false
    const headers = { ...call.headers, authorization: `Bearer ${own.token}` }
    const done = await insist(scene, { ...call, headers }, (reply) => {
      hasLostToken = is(reply, 404) || is(reply, 401)
      return isDone(reply) || hasLostToken || unless(isNotNow(reply))
    })
    if (done === undefined || !hasLostToken) return done
    const asked = { method: 'POST', path: `${own.path}/tokens`, json: { pin: own.recoveryCode } } as const
    const given = await insist(scene, asked, (reply) => is(reply, 201) || is(reply, 404) || unless(isNotNow(reply)))
    if (given === undefined) return undefined
    if (given.reply.status === 404) {
      scene.findings.lost.push('a case')
      return undefined
    }
    own.token = Token.parse(given.reply.json).token
  }
}

function unless(isExpected: boolean): false | 'surprise' {
  return isExpected ? false : 'surprise'
}
