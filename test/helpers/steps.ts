// What a person does on the page, step by step: in tests and for screenshots.

import type { Page } from 'playwright-core'

export interface GivenFile {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

/** From the first page to where pictures are chosen. */
export async function toChoosing(page: Page): Promise<void> {
  await page.click('#adult')
  await page.check('#agree')
  await page.click('#consent-go')
}

export async function choose(page: Page, files: readonly GivenFile[]): Promise<void> {
  await page.setInputFiles('#files', [...files])
}

/** Waits until every chosen picture was read. */
export async function allRead(page: Page): Promise<void> {
  await page.waitForSelector('#stop', { state: 'hidden' })
}

/** What a submitter writes down. */
export interface Secrets {
  readonly caseNumber: string
  readonly pin: string
  readonly recoveryCode: string
}

/** From chosen pictures to number and PIN, with all of them settled. */
export async function protectAll(page: Page): Promise<Secrets> {
  await page.click('#choose-go:enabled')
  await page.click('#protect')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  const [caseNumber, pin, recoveryCode] = await Promise.all(
    ['#number', '#pin', '#recovery-code'].map((id) => textOf(page, id)),
  )
  return { caseNumber: caseNumber ?? '', pin: pin ?? '', recoveryCode: recoveryCode ?? '' }
}

/** Waits until every picture is protected or refused. */
export async function allSent(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const lines = [...document.querySelectorAll<HTMLElement>('#sent li')]
    return lines.length > 0 && lines.every(({ dataset }) => dataset['state'] !== 'busy')
  })
}

/** The text of an element. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.textContent(selector)) ?? ''
}
