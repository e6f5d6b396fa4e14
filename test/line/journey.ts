// A journey on the page, and what several of them begin with or end in.

import { openCase, randomHashText } from '../helpers/service.js'
import { textOf } from '../helpers/steps.js'
import { type Fate, Finding, type Person } from './person.js'
import { press } from './window.js'
import { type OwnFile, ownFile } from './world.js'

/** In two parts: what came before, on a good line, and what meets the fault. */
export interface Journey {
  /** What the requests for the page itself are, where no other journey has them. */
  readonly withAssets?: true
  /** Opening a case costs work. */
  readonly asksForProof?: true
  before?(her: Person, seed: number): Promise<void>
  run(her: Person, seed: number): Promise<void>
}

const NUMBER = '[data-step="result"]:not([hidden])'
export const VIEW = '[data-step="view"]:not([hidden])'

export async function chooseAtStart(her: Person, files: readonly OwnFile[], isUploadAgreed = false): Promise<void> {
  await toChoosing(her)
  await her.chooseAll(files, isUploadAgreed)
}

export async function toChoosing({ page }: Person, choices: readonly string[] = []): Promise<void> {
  await page.waitForSelector('#adult') // the page may still be starting
  for (const each of ['#adult', ...choices, '#agree', '#consent-go']) await press(page, each)
}

/** Number and PIN are shown: she writes them down, and they have to open her case. */
export async function protect(her: Person, fates: ReadonlyMap<OwnFile, Fate>): Promise<void> {
  await her.reach(NUMBER, () => press(her.page, '#protect'))
  const [caseNumber, pin] = [await textOf(her.page, '#number'), await textOf(her.page, '#pin')]
  her.secrets = { caseNumber, pin }
  if ((await her.world.read(caseNumber, pin)) === undefined) throw new Finding('number and PIN do not open a case')
  await her.sent(fates)
}

export async function addAtCase(her: Person, fates: ReadonlyMap<OwnFile, Fate>): Promise<void> {
  await press(her.page, '#protect')
  await her.sent(fates)
  await her.reach(VIEW, () => press(her.page, '#added-done'))
  await her.compare()
}

export const allProtected = (files: readonly OwnFile[]) => new Map<OwnFile, Fate>(files.map((file) => [file, 'protected']))

export async function someFiles(seed: number, images: number, uploads: number): Promise<OwnFile[]> {
  const jpegs = Array.from({ length: images }, (_, i) => ownFile(seed + i))
  const tiffs = Array.from({ length: uploads }, (_, i) => ownFile(seed + 50 + i, 'tiff'))
  return Promise.all([...jpegs, ...tiffs])
}

/** A case with one image, open on the page. */
export async function authorizeCase(her: Person): Promise<void> {
  await prepareCase(her, randomHashText())
  await her.go('/case')
  await her.openCase()
}

export async function prepareCase(her: Person, hash: string, choices = {}): Promise<void> {
  const { app } = her.world.service
  const opened = await openCase(app, choices)
  const payload = { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] }
  await app.inject({ method: 'POST', url: `${opened.url}/hashes`, payload, headers: opened.headers })
  // The code, because journeys end the case and replace its PIN.
  her.secrets = { caseNumber: opened.caseNumber, pin: opened.recoveryCode }
  her.hash = hash
}

export async function stateOf(her: Person) {
  const stored = her.secrets && (await her.world.read(her.secrets.caseNumber, her.secrets.pin))
  if (stored === undefined) throw new Finding('the PIN that was shown last does not open the case')
  return stored
}

export async function choosingAtCase(her: Person, fates: ReadonlyMap<OwnFile, Fate>, isUploadAgreed = false): Promise<void> {
  her.fates = fates
  await press(her.page, '#add')
  await her.chooseAll([...fates.keys()], isUploadAgreed)
}
