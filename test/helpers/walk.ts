// Visits every state of every page, for axe and for the screenshots.

import type { Page } from 'playwright-core'
import { allRead, allSent, choose, type GivenFile, textOf } from './steps.js'

export interface Walked {
  /** The address of the api. */
  readonly url: string
  readonly language: string
  /** Valid files, and at least one that the browser cannot decode: the page asks whether to send it. */
  readonly files: readonly GivenFile[]
  /** Called in each state, in the order in which a person gets there. */
  readonly look: (state: string) => Promise<unknown>
}

export async function walk(page: Page, { url, language, files, look }: Walked): Promise<void> {
  const open = (path: string) => page.goto(`${url}${path}?lang=${language}`)
  await open('/')
  await look('start')
  await page.click('#minor')
  await look('minor')
  await open('/')
  await page.click('#adult')
  await look('consent')
  await page.check('#agree')
  await page.click('#consent-go')
  await look('choose')
  await choose(page, files)
  await allRead(page)
  await look('chosen')
  await page.click('#upload-no')
  await page.click('#choose-go')
  await look('category')
  await page.click('#protect')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  await look('result')
  const number = await textOf(page, '#number')
  const [pin, code] = [await textOf(page, '#pin'), await textOf(page, '#recovery-code')]
  await page.check('#written')
  await opened(page, { open, number, pin, look })
  await wished(page, { code, look })
  await followed(page, { look })
  await open('/help')
  await look('help')
  await open('/privacy')
  await look('privacy')
  await open('/how-it-works')
  await look('how-it-works')
}

interface Followed {
  readonly open: (path: string) => Promise<unknown>
  readonly number: string
  readonly pin: string
  readonly code: string
  readonly look: Walked['look']
}

async function opened(page: Page, { open, number, pin, look }: Omit<Followed, 'code'>): Promise<void> {
  await open('/case')
  await look('case')
  await page.fill('#case-number', 'x')
  await page.click('#open')
  await look('case-mistyped')
  await page.fill('#case-number', number)
  await page.fill('#case-pin', '0000 0000 0000 0000')
  await page.click('#open')
  await page.waitForSelector('#open:enabled')
  await look('case-wrong-pin')
  await page.fill('#case-pin', pin)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
}

/** What somebody can do who knows number and PIN, until it is stopped with the code. */
async function wished(page: Page, { code, look }: Pick<Followed, 'code' | 'look'>): Promise<void> {
  await page.click('#pause')
  await page.waitForSelector('#resume:not([hidden])')
  await look('case-paused')
  await page.click('#new-pin')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  await look('case-later-pin')
  await page.click('#pin-written')
  await page.click('#withdraw')
  await page.click('#withdraw-yes')
  await page.waitForSelector('#wish-end:not(:empty)')
  await look('case-wishes')
  await page.fill('#wishes-code', code)
  await page.click('#wishes-stop')
  await page.waitForSelector('#wishes', { state: 'hidden' })
  await look('case-wishes-stopped')
  await page.click('#resume')
  await page.waitForSelector('#pause:not([hidden])')
}

/** The page of a case, until everything is withdrawn. */
async function followed(page: Page, { look }: Pick<Followed, 'look'>): Promise<void> {
  await look('case-view')
  await page.click('#new-pin')
  await look('case-another-pin')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  await look('case-new-pin')
  await page.click('#pin-done')
  await page.click('#notice-open')
  await page.check('[value="us-tida"]')
  await page.click('#notice-go')
  await look('case-notice')
  await page.click('#notice-no')
  await page.click('#withdraw')
  await look('case-withdraw')
  await page.click('#withdraw-yes')
  await page.waitForSelector('#withdrawn-row:not([hidden])')
  await page.waitForSelector('#receipt:not([hidden])')
  await look('case-withdrawn')
}
