// Violations that axe-core finds in every state of a page.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { pictureFile, type Site } from './browser.js'
import { faint } from './contrast.js'
import { flat } from './hostile-pictures.js'
import type { GivenFile } from './steps.js'
import { walk } from './walk.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Violations of WCAG 2.2 AA in the current state of the page. */
export async function faultsOf(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  return page.evaluate(async (values) => {
    const run: (
      context: Document,
      options: object,
    ) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> = Reflect.get(
      Reflect.get(globalThis, 'axe'),
      'run',
    )
    const { violations } = await run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }, RULES)
}

/**
 * Controls without a border when the system forces colours, where a background does not show them. (axe cannot check this: it reads the colours that the
 * page asks for.)
 */
async function borderless(page: Page): Promise<string[]> {
  await page.emulateMedia({ forcedColors: 'active' })
  const found = await page.$$eval('button, .button, .leave a, [role=button]', (elements) =>
    elements
      .filter((element) => element.checkVisibility() && getComputedStyle(element).borderTopWidth === '0px')
      .map(({ outerHTML }) => outerHTML),
  )
  await page.emulateMedia({ forcedColors: 'none' })
  return found
}

async function chosenFiles(): Promise<GivenFile[]> {
  const plain = await flat()
  return [
    await pictureFile(1),
    { name: 'plain.png', mimeType: 'image/png', buffer: plain.bytes },
    { name: 'list.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a shopping list') },
    await pictureFile(2, { format: 'tiff' }),
    { name: 'IMG_1.heic', mimeType: 'image/heic', buffer: Buffer.from('00000018667479706865696300000000', 'hex') },
  ]
}

/** The first state of each page. */
const FIRST_STATES = ['start', 'case', 'help', 'how-it-works']

/**
 * Goes through every state of every page, in two languages at the same time. axe checks every state in one language, and the first state of each page in
 * the other. In both, nothing must need horizontal scrolling, and with forced colours each control must have a border.
 */
export async function walkWithAxe(
  t: Test,
  site: Site,
  /** Most results of axe do not depend on the language; the widths of words do. */
  { looked, measured }: { readonly looked: string; readonly measured: string },
  options: Parameters<Site['visit']>[1],
): Promise<void> {
  const files = await chosenFiles()
  await Promise.all(
    [looked, measured].map(async (language) => {
      const { page, context, faults } = await site.visit('/how-it-works', options)
      const look = async (state: string) => {
        if (language === looked || FIRST_STATES.includes(state)) t.same(await faultsOf(page), [], `${language}: ${state}`)
        if (language === looked) t.same(await faint(page), [], `${language}: ${state}, contrast`)
        if (language === looked) t.same(await borderless(page), [], `${language}: ${state}, in forced colours`)
        const overflowPx = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        t.equal(overflowPx, 0, `${language}: ${state}: nothing has to be scrolled sideways`)
      }
      await walk(page, { url: site.url, language, files, look })
      t.same(faults, [], language)
      await context.close()
    }),
  )
}
