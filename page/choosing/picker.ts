// Choosing pictures and videos: by button, by dropping, by pasting. Reads them as they come.

import { announce, hide, notice, onClick, one, setText, show } from '../dom.js'
import { countKinds, type Kind, sayFiles } from '../file-counts.js'
import { cannotOpenInBrowser } from '../hashing/cannot-open.js'
import type { Wanted } from '../hashing/hash-file.js'
import { isSame, type Outcome } from '../hashing/outcome.js'
import { canHashHere, hashingPool } from '../hashing/pool.js'
import { type Said, say, sayMinutes } from '../messages.js'
import type { PickedFile } from '../unpacking/packed-file.js'
import { type ZipContents, zipContents } from '../unpacking/zip-contents.js'
import { watchDropsAndPastes } from './dropping.js'
import { offerKept } from './kept-card.js'
import { type EarlierRead, type KeptHashes, keptHashesIn } from './kept-hashes.js'
import { offeredAs, rejectedAs } from './not-hashed.js'
import {
  isBusy,
  isUnprotected,
  kindOf,
  likelyKindOf,
  MAX_FILES,
  type Picture,
  type PictureState,
  type Usable,
  usableOf,
} from './picture.js'
import { type Rows, rowsIn, sentenceOf } from './picture-list.js'
import { sayUnpacked } from './zip-sentences.js'

export interface Picker {
  readonly usable: () => readonly Usable[]
  /** What was chosen and cannot be protected, with the reason. */
  readonly unprotected: () => readonly Unprotected[]
  /** Whether there are pictures that would have to be chosen again. */
  readonly holdsPictures: () => boolean
  /** It was sent, or will not be: nothing of it is kept for a killed tab any more. */
  readonly settled: (id: number) => void
  readonly clear: () => void
}

export interface Unprotected {
  readonly name: string | Said
  readonly kind: Kind
  readonly why: Said
}

/** How often what is kept for a killed tab is looked through for what is too old. */
const DELETE_OLD_INTERVAL_MS = 60_000
/** From this number of pictures on, the page says how long it will take. */
const MANY_PICTURES = 50
/** A guess for an old telephone, so that most people wait less than announced. */
const GUESS_MS_EACH = 1000
/** Where this step says what became of the files: on a phone the top of the page is out of sight by then, and later steps have no use for it. */
const NOTES = 'choosing-notes'
/** The progress, and the list below the button that goes on: with a thousand files the end of the list is far away. */
const LIST = ['reading', 'chosen'] as const

/** The chosen files, and the parts of the page that read and draw them. */
interface Chosen {
  readonly pictures: Map<number, Picture>
  readonly pool: ReturnType<typeof hashingPool>
  readonly rows: Rows
  readonly kept: KeptHashes
  /** What is to be found in a picture, when its turn comes. */
  readonly wanted: () => Wanted
  lastId: number
}

/** @param goOn what comes after choosing. @param wanted what is to be found in each picture, when its turn comes. */
export function picker(goOn: () => void, wanted: () => Wanted): Picker {
  const chosen: Chosen = {
    pictures: new Map(),
    pool: hashingPool(),
    rows: rowsIn('pictures', { remove: (id) => remove(chosen, id), tryAgain: (id) => read(chosen, id) }),
    kept: keptHashesIn(() => sessionStorage, Date.now),
    wanted,
    lastId: 0,
  }
  const { pictures, pool, rows, kept } = chosen
  for (const id of ['files', 'zips']) {
    const input = one(id, HTMLInputElement)
    input.addEventListener('change', () => {
      take(chosen, [...(input.files ?? [])])
      input.value = '' // so that the same file can be chosen again
    })
  }
  watchDropsAndPastes((files) => take(chosen, files))
  onClick('stop', () => stop(pool))
  onClick('choose-go', goOn)
  onClick('upload-yes', () => answerOffer(chosen, true))
  onClick('upload-no', () => answerOffer(chosen, false))
  if (!canHashHere()) show('unsupported')
  const endOffer = offerKept(kept, (earlier) => takeBack(chosen, earlier))
  setInterval(kept.deleteOld, DELETE_OLD_INTERVAL_MS)

  return {
    usable: () => [...pictures.values()].flatMap(usableOf),
    unprotected: () =>
      [...pictures.values()]
        .filter(isUnprotected)
        .map((picture) => ({ name: picture.name, kind: likelyKindOf(picture), why: sentenceOf(picture) })),
    holdsPictures: () => pictures.size > 0,
    settled: kept.drop,
    clear() {
      kept.clear()
      endOffer()
      pool.stop()
      pictures.clear()
      rows.clear()
      drawTotals(pictures)
    },
  }
}

function take(chosen: Chosen, files: readonly File[]): void {
  one(NOTES, HTMLElement).replaceChildren()
  const taken = add(chosen, files)
  if (taken < files.length) notice(say('run.tooMany', { n: MAX_FILES }), NOTES)
}

/** @returns how many there was room for. */
function add(chosen: Chosen, files: readonly PickedFile[]): number {
  const { pictures } = chosen
  const taken = files.slice(0, MAX_FILES - pictures.size)
  if (taken.length >= MANY_PICTURES) {
    const minutes = sayMinutes(taken.length * GUESS_MS_EACH)
    notice(say('run.many', { n: taken.length, minutes }), NOTES).id = 'many'
  }
  if (taken.length > 0) showList()
  for (const file of taken) {
    const id = ++chosen.lastId
    const name = file.name || say('run.unnamed', { n: id })
    pictures.set(id, { id, name, file, reading: new AbortController(), state: { at: 'waiting' } })
    read(chosen, id)
  }
  return taken.length
}

/** Their ids are below those of all files, so they count as chosen first: none is ever a copy that would have to be read again, without a file. */
function takeBack(chosen: Chosen, earlier: readonly EarlierRead[]): void {
  const { pictures, kept } = chosen
  const room = MAX_FILES - pictures.size
  for (const [k, entry] of earlier.slice(0, room).entries()) {
    const id = k - earlier.length
    kept.adopt(id, entry)
    const name = say('run.unnamed', { n: k + 1 })
    pictures.set(id, { id, name, file: new File([], ''), reading: new AbortController(), state: { at: 'waiting' } })
    put(chosen, id, { at: 'ready', hashed: entry.read })
  }
  showList()
}

function showList(): void {
  for (const id of LIST) show(id)
}

function read(chosen: Chosen, id: number): void {
  const { pictures, pool, wanted } = chosen
  const picture = pictures.get(id)
  if (picture === undefined) return
  put(chosen, id, { at: 'waiting' })
  const outcome = canHashHere()
    ? pool.hash(picture.file, wanted(), {
        begun: () => put(chosen, id, { at: 'reading' }),
        handedOn: () => put(chosen, id, { at: 'waiting' }),
        progress: (share) => drawProgress(chosen, id, Math.floor(100 * share) / 100),
        signal: picture.reading.signal,
      })
    : cannotOpenInBrowser(picture.file)
  void outcome.then((outcome) => settle(chosen, picture, outcome))
}

async function settle(chosen: Chosen, { id, file }: Picture, outcome: Outcome | undefined): Promise<void> {
  const mayBeZip = outcome?.kind === 'rejected' && outcome.what === 'document' && !('archive' in file)
  const contents = mayBeZip ? await zipContents(file) : undefined
  if (!chosen.pictures.has(id)) return // removed meanwhile: nothing may be a copy of it
  if (contents !== undefined) unpack(chosen, id, contents)
  else put(chosen, id, outcome === undefined ? { at: 'stopped' } : stateOf(chosen, id, outcome))
}

/** Puts the pictures and videos of a ZIP file into its place. Each is unpacked when its turn comes. */
function unpack(chosen: Chosen, id: number, contents: ZipContents | 'broken'): void {
  if (contents === 'broken' || contents.files.length === 0) {
    const isClosed = contents === 'broken' || contents.lockedCount > 0
    put(chosen, id, { at: 'refused', why: isClosed ? 'zip-closed' : 'zip-empty' })
    return
  }
  chosen.pictures.delete(id)
  const taken = add(chosen, contents.files)
  chosen.rows.replace(id)
  drawTotals(chosen.pictures)
  notice(sayUnpacked(contents, taken), NOTES)
}

function stateOf(chosen: Chosen, id: number, outcome: Outcome): PictureState {
  const { pictures } = chosen
  if (outcome.kind === 'rejected') return rejectedAs(outcome, pictures.get(id))
  if (outcome.kind === 'upload') {
    if (outcome.because === 'browser') show('unsupported')
    if (outcome.because === 'altered') show('altered')
    return offeredAs(outcome.format, pictures.get(id), outcome.because === 'animated' ? 'animated' : undefined)
  }
  const same = [...pictures.values()].find(({ state }) => state.at === 'ready' && isSame(state.hashed, outcome))
  if (same !== undefined && same.id < id) return { at: 'refused', why: 'twice', duplicateOf: same.id }
  // Two files are read at once, and the later one may be done first. The one that was chosen first still counts as the original.
  if (same !== undefined) {
    for (const other of copiesOf(pictures, same.id)) put(chosen, other, { at: 'refused', why: 'twice', duplicateOf: id })
    put(chosen, same.id, { at: 'refused', why: 'twice', duplicateOf: id })
  }
  return { at: 'ready', hashed: outcome }
}

function put({ pictures, rows, kept }: Chosen, id: number, state: PictureState): void {
  const picture = pictures.get(id)
  if (picture === undefined) return // removed meanwhile
  if (state.at === 'ready') kept.keep(id, state.hashed)
  else kept.drop(id)
  const next = { ...picture, state }
  pictures.set(id, next)
  rows.draw(next)
  drawTotals(pictures)
}

/** Of one video. The totals stay. */
function drawProgress({ pictures, rows }: Chosen, id: number, share: number): void {
  const picture = pictures.get(id)
  if (picture?.state.at !== 'reading' || picture.state.share === share) return
  const next: Picture = { ...picture, state: { at: 'reading', share } }
  pictures.set(id, next)
  rows.draw(next)
}

function remove(chosen: Chosen, id: number): void {
  forget(chosen, id)
  drawTotals(chosen.pictures)
}

function forget(chosen: Chosen, id: number): void {
  const { pictures, rows, kept } = chosen
  kept.drop(id)
  pictures.get(id)?.reading.abort()
  pictures.delete(id)
  rows.remove(id)
  for (const copy of copiesOf(pictures, id)) read(chosen, copy) // nothing stands for it any more
}

function copiesOf(pictures: Chosen['pictures'], id: number): number[] {
  return [...pictures.values()].flatMap(({ id: copy, state }) =>
    state.at === 'refused' && state.why === 'twice' && state.duplicateOf === id ? [copy] : [],
  )
}

function stop(pool: Chosen['pool']): void {
  pool.stop()
  announce(say('run.stopped'))
  one('files', HTMLInputElement).focus()
}

function answerOffer(chosen: Chosen, isAgreed: boolean): void {
  for (const { id, state } of [...chosen.pictures.values()]) {
    if (state.at !== 'upload') continue
    if (isAgreed) put(chosen, id, { at: 'agreed', kind: state.kind })
    else forget(chosen, id)
  }
  drawTotals(chosen.pictures)
  one('choose-go', HTMLButtonElement).focus()
}

function drawTotals(pictures: Chosen['pictures']): void {
  const all = [...pictures.values()]
  const done = all.filter((picture) => !isBusy(picture)).length
  const usable = countKinds(all.flatMap(usableOf).map(kindOf))
  const isNone = usable.pictures + usable.videos === 0
  const isDone = done === all.length
  const progress = one('read-progress', HTMLProgressElement)
  progress.max = Math.max(1, all.length)
  progress.value = done
  const ready = isNone ? say('run.ready.none') : sayFiles('run.ready', usable)
  const text = isDone ? ready : sayFiles('run.read', countKinds(all.map(likelyKindOf)), { done })
  setText('read-text', text)
  if (isDone) document.getElementById('many')?.remove()
  if (all.length === 0) for (const id of LIST) hide(id)
  else if (isDone) announce(() => `${(all.some(isStopped) ? say('run.stopped') : say('run.allRead'))()} ${text()}`)
  else if (done % Math.ceil(all.length / 4) === 0) announce(text)
  one('stop', HTMLElement).hidden = isDone
  one('upload', HTMLElement).hidden = !all.some(({ state }) => state.at === 'upload')
  const go = one('choose-go', HTMLButtonElement)
  go.disabled = isNone || !isDone
  setText('choose-go', isNone ? () => go.dataset['empty'] ?? '' : sayFiles('run.goOn', usable))
}

function isStopped({ state }: Picture): boolean {
  return state.at === 'stopped'
}
