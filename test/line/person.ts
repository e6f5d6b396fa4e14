// Somebody before the page: does what it says, waits when it says so, and believes it. All that it claims is compared with what is stored.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { choose } from '../helpers/steps.js'
import type { FaultyProxy } from './proxy.js'
import { press, type } from './window.js'
import type { OwnFile, World } from './world.js'

/** What is shown beside an image in the end. */
export type Fate = 'protected' | 'held' | 'refused'

export interface Secrets {
  readonly caseNumber: string
  readonly pin: string
}

export interface Person {
  readonly page: Page
  readonly world: World
  readonly proxy: FaultyProxy
  /** Number and PIN, as she wrote them down last. */
  secrets: Secrets | undefined
  /** Of the image that her case begins with. */
  hash: string
  /** What she has chosen, and what is to become of it. */
  fates: ReadonlyMap<OwnFile, Fate>
  /** Does something, and then what the page asks for, until something stands there. @throws {Finding} when it never does. */
  reach(selector: string, act: () => Promise<unknown>, during?: () => Promise<void>): Promise<void>
  go(path: string): Promise<void>
  chooseAll(files: readonly OwnFile[], isUploadAgreed?: boolean): Promise<void>
  openCase(): Promise<void>
  /** Waits until everything is sent, and compares what is said with what is stored. */
  sent(fates: ReadonlyMap<OwnFile, Fate>): Promise<void>
  /** @throws {Finding} when the page says something of the case that is not so. */
  compare(): Promise<void>
}

export class Finding extends Error {}

const ROUNDS = 90
/** Beyond every time-out of the page within a few rounds. */
const ROUND_MS = 10_000
/** By then the page has given up what is late. */
const LATE_ROUNDS = 16

interface Seen {
  readonly isLoading: boolean
  readonly isPage: boolean
  readonly isThere: boolean
  readonly step: string | undefined
  readonly promises: boolean
  readonly button: string | undefined
  readonly error: string
}

export function person(page: Page, world: World, proxy: FaultyProxy): Person {
  const her: Person = {
    page,
    world,
    proxy,
    secrets: undefined,
    hash: '',
    fates: new Map(),
    async reach(selector, act, during = async () => {}) {
      let [said, isBack, loading] = ['', false, 0]
      await tried(act)
      for (let round = 0; round < ROUNDS; round++) {
        await rest(proxy)
        const seen = await look(page, selector)
        await during()
        if (seen.isThere) return
        if (round === LATE_ROUNDS) proxy.release()
        if (!seen.isPage) await tried(seen.isLoading && ++loading % LATE_ROUNDS > 0 ? async () => {} : act)
        else if (!seen.promises) {
          if (seen.step === 'enter' && her.secrets !== undefined) {
            await tried(() => enter(page, her.secrets))
            isBack = true
          } else if (seen.button !== undefined) await tried(() => press(page, seen.button ?? ''))
          else if (seen.error !== '' || (seen.step === 'view' && isBack)) {
            await tried(act)
            isBack = false
          }
        }
        said = `${seen.step ?? 'no page'}: ${seen.error}`
        await passTime(page)
      }
      throw new Finding(`never comes to ${selector}; the page says "${said}"`)
    },
    async go(path) {
      await her.reach('[data-step]:not([hidden])', () => load(page, proxy, proxy.url + path))
    },
    async chooseAll(files, isUploadAgreed = false) {
      await choose(page, files)
      for (let tries = 0; tries < 5; tries++) {
        await allReadBehind(page, proxy)
        const again = '#pictures li[data-state="bad"] button[aria-label^="Try"]:not([hidden])'
        if ((await page.locator(again).count()) === 0) break
        proxy.release() // or the browser would have the next try wait for what is late
        await press(page, again)
      }
      if (isUploadAgreed) await press(page, '#upload-yes')
      await press(page, '#choose-go').catch(async () => {
        throw new Finding(`no image can be protected; the page says "${await page.textContent('#pictures')}"`)
      })
    },
    openCase: () => her.reach('[data-step="view"]:not([hidden])', () => enter(page, her.secrets)),
    async sent(fates) {
      const settled = '#sending:has(#retry[hidden]):has(#sent li):not(:has(#sent li[data-state="busy"]))'
      await her.reach(
        settled,
        async () => {},
        () => compareGood(page, world, fates),
      )
      await compareSent(page, world, fates)
    },
    async compare() {
      await compareCase(page, world, her.secrets)
    },
  }
  return her
}

/** What does not come is loaded again, as a person would: until something came, the browser answers no question about the page. */
async function load(page: Page, proxy: FaultyProxy, url: string): Promise<void> {
  const isHeld = new Promise<'held'>((resolve) => proxy.onHold(() => resolve('held')))
  const loading = page.goto(url, { waitUntil: 'commit' }).catch((error: unknown) => error)
  const outcome = await Promise.race([loading, isHeld])
  if (outcome instanceof Error) throw outcome
  if (outcome !== 'held') return
  await page.goto('about:blank') // the same address again would be left to the load that is under way
  await loading
  await page.goto(url, { waitUntil: 'commit' })
  proxy.release()
}

async function enter(page: Page, secrets: Secrets | undefined): Promise<void> {
  await type(page, '#case-number', secrets?.caseNumber ?? '')
  await type(page, '#case-pin', secrets?.pin ?? '')
  await press(page, '#open')
}

/** What she cannot do now she does later. */
async function tried(act: () => Promise<unknown>): Promise<void> {
  await act().catch((error: unknown) => {
    if (error instanceof Finding) throw error
  })
}

function look(page: Page, selector: string): Promise<Seen> {
  return page
    .evaluate((wanted) => {
      const isVisible = (element: HTMLElement) => element.offsetParent !== null
      const errors = [...document.querySelectorAll<HTMLElement>('.error, #net, #open-net')].filter(
        (element) => isVisible(element) && element.textContent !== '',
      )
      const said = errors.map(({ textContent }) => textContent).join(' ')
      const button = ['#retry', '#open-retry'].find((id) => {
        const element = document.querySelector<HTMLElement>(id)
        return element !== null && isVisible(element)
      })
      return {
        isLoading: document.readyState !== 'complete',
        isPage: document.getElementById('main') !== null && document.getElementById('unscripted') === null,
        isThere: document.querySelector(wanted) !== null && document.getElementById('unscripted') === null,
        step: document.querySelector<HTMLElement>('[data-step]:not([hidden])')?.dataset['step'],
        promises: said.includes('by itself'),
        button,
        error: said,
      }
    }, selector)
    .catch(() => ({
      isLoading: false,
      isPage: false,
      isThere: false,
      step: undefined,
      promises: false,
      button: undefined,
      error: '',
    }))
}

function passTime(page: Page): Promise<void> {
  return page.evaluate((ms) => globalThis.passTime?.(ms), ROUND_MS).catch(() => {})
}

/** Until what is under way has arrived, and nothing follows; what is late is not waited for. */
async function rest(proxy: FaultyProxy): Promise<void> {
  for (let i = 0, quiet = 0; i < 1000 && quiet < 2 && !proxy.isHolding(); i++) {
    await sleep(6)
    quiet = proxy.busy() > 0 ? 0 : quiet + 1
  }
}

const ALL_READ = '#pictures:has(li):not(:has(li[data-state="busy"]))'

/** The clock stands meanwhile, or reading would take too long for the page; a program that is late is given up first. */
async function allReadBehind(page: Page, proxy: FaultyProxy): Promise<void> {
  for (let i = 0; i < 500 && (await page.locator(ALL_READ).count()) === 0; i++) {
    await sleep(10)
    if (!proxy.isHolding()) continue
    if (i < LATE_ROUNDS) await passTime(page)
    else proxy.release()
  }
}

/** What is said to be protected at any time. */
async function compareGood(page: Page, world: World, fates: ReadonlyMap<OwnFile, Fate>): Promise<void> {
  const good = await page.$$eval('#sent li[data-state="good"] .name', (names) => names.map(({ textContent }) => textContent))
  for (const { name, hash } of fates.keys())
    if (good.includes(name) && !(await world.finds(hash)))
      throw new Finding('an image that does not match is said to be protected')
}

async function compareSent(page: Page, world: World, fates: ReadonlyMap<OwnFile, Fate>): Promise<void> {
  const lines = await page.$$eval('#sent li', (all) =>
    all.map((line) => ({
      name: line.querySelector('.name')?.textContent ?? '',
      text: line.querySelector('.state')?.textContent ?? '',
      isGood: line.dataset['state'] === 'good',
    })),
  )
  for (const [file, fate] of fates) {
    const line = lines.find(({ name }) => name === file.name)
    const isFound = await world.finds(file.hash)
    if (line?.isGood !== isFound)
      throw new Finding(`"${line?.text}" is said of an image that ${isFound ? 'matches' : 'does not match'}`)
    const said = line.isGood ? 'protected' : /^A decision is needed first/.test(line.text) ? 'held' : 'refused'
    if (said !== fate || /^Not confirmed/.test(line.text))
      throw new Finding(`"${line.text}" is said of an image that is ${fate}`)
  }
  const total = (await page.textContent('#sent-text')) ?? ''
  const good = lines.filter(({ isGood }) => isGood).length
  const isTrue =
    good === lines.length
      ? /^Done\./.test(total)
      : good === 0
        ? /^(Your picture is not|None of the \d+ pictures is) registered/.test(total)
        : total.startsWith(`${lines.length - good} of ${lines.length} `)
  if (!isTrue) throw new Finding(`"${total}" is said of ${good} of ${lines.length} images`)
}

const English = z.record(z.string(), z.string())
const english = English.parse(
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../page/messages/en.json'), 'utf8')),
)

async function compareCase(page: Page, world: World, secrets: Secrets | undefined): Promise<void> {
  if (secrets === undefined) throw new Finding('there is no number')
  const stored = await world.read(secrets.caseNumber, secrets.pin)
  if (stored === undefined) throw new Finding('the PIN that was shown last does not open the case')
  const matching = stored.images.filter((image) => image.matching).length
  const [state, images] = await Promise.all([page.textContent('#view-state'), page.textContent('#view-images')])
  const [done, total] = [matching, stored.images.length]
  const isPart = stored.case.state === 'active' && done < total
  const name = isPart ? (done === 0 ? 'run.noneProtected' : 'run.partProtected') : `run.caseState.${stored.case.state}`
  const counts: Readonly<Record<string, number>> = { done, total, n: total - done }
  const expected = english[name]?.replace(/\{(\w+)\}/g, (_, count) => String(counts[count]))
  if (state !== expected) throw new Finding(`"${state}" is said of a case that is ${stored.case.state}`)
  if (Number(images) !== matching) throw new Finding(`${images} images are said to be protected, and ${matching} are`)
}
