// Steps in the console, for tests.

import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { faultsOf } from './axe.js'
import { faint } from './contrast.js'

export const PHONE = { viewport: { width: 320, height: 640 } }

export async function signIn(page: Page, key: string): Promise<void> {
  await page.fill('#key', key)
  await page.keyboard.press('Enter')
}

/** Resolves once the panel shows what it loaded, or why it could not: what a test does next must not overtake it. */
export async function openPanel(page: Page, panel: string): Promise<void> {
  await page.locator('nav').getByRole('button', { name: panel, exact: true }).click()
  await page.locator('h1', { hasText: panel }).waitFor()
  await page.getByText('Loading …').first().waitFor({ state: 'hidden' })
}

/** On a light and on a dark screen. */
async function faintInBoth(page: Page): Promise<string[]> {
  const isDark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
  await page.emulateMedia({ colorScheme: isDark ? 'light' : 'dark' })
  const other = await faint(page)
  await page.emulateMedia({ colorScheme: isDark ? 'dark' : 'light' })
  return [...other, ...(await faint(page))]
}

export async function looksRight(t: Test, page: Page, state: string): Promise<void> {
  await page.waitForFunction(() => !document.body.textContent?.includes('Loading'))
  t.same(await faultsOf(page), [], state)
  t.same(await faintInBoth(page), [], `${state}: contrast`)
  const overflowPx = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  t.equal(overflowPx, 0, `${state}: the page is not scrolled sideways`)
  const cut = await page.$$eval('caption, td:first-child', (parts) =>
    parts
      .map((part) => ({ text: part.textContent, place: part.getBoundingClientRect() }))
      .filter(({ place }) => place.left < 0 || place.right > innerWidth)
      .map(({ text }) => text),
  )
  t.same(cut, [], `${state}: what a table and each of its rows are about is in view`)
}
