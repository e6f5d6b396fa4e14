// Which share of drawn decoration the lists of common details contain, and which share of other pictures.

import { join } from 'node:path'
import sharp from 'sharp'
import { createCommonRows } from '../../dist/src/services/matching/details/common-rows.js'
import { photosOf } from '../robustness/photos.mjs'
import { registered, sheetsFrom } from './look.mjs'

const KINDS = ['icons', 'chats', 'bars']
const UNSEEN_SHEET = 3000
const LAYOUTS = /^(?:ss|un|emoji|meme|caption)_/

/** Says what is caught of other sheets, of the benches' layouts around nothing, and of the photographs of a folder. */
export async function checkCaught(folder) {
  for (const [kind, name] of KINDS.entries()) {
    const sheets = sheetsFrom(UNSEEN_SHEET, 60).filter((_, i) => i % KINDS.length === kind)
    await tell(`other sheets of ${name}`, sheets)
  }
  for (const module of ['variants', 'unseen'])
    await tell(`layouts of ${module}.mjs around nothing`, await emptyLayouts(module))
  if (folder === undefined) return
  for (const split of ['tuning', 'test']) {
    const photos = photosOf(join(folder, 'images'), split, 100)
    await tell(
      `photographs, ${split}`,
      photos.map(({ read }) => read()),
    )
  }
}

const common = createCommonRows({ hash: (row) => row })

async function tell(what, pictures) {
  let [rows, caught, refused, given, most] = [0, 0, 0, 0, 0]
  for (const picture of pictures) {
    const ranked = (await registered(picture)).ranked.rows
    if (ranked.length === 0) continue
    const decoration = ranked.filter(({ hash }) => common.isDecoration(hash)).length
    rows += ranked.length
    caught += decoration
    given++
    most = Math.max(most, decoration / ranked.length)
    if (decoration > ranked.length / 2) refused++
  }
  const percent = (share) => `${(100 * share).toFixed(1)} %`
  console.log(
    `${what}: ${caught} of ${rows} rows (${percent(caught / rows)}; ${percent(most)} at most), ${refused} of ${given} pictures without rows`,
  )
}

/** Stickers, captions and pages with a plain picture in them. */
async function emptyLayouts(module) {
  const { CATALOG, variants } = await import(`../variants/${module}.mjs`)
  const plain = await sharp({ create: { width: 700, height: 900, channels: 3, background: '#b09a86' } })
    .jpeg()
    .toBuffer()
  const only = CATALOG.map(({ id }) => id).filter((id) => LAYOUTS.test(id))
  const made = []
  for await (const { image } of variants(plain, 'nothing', { only, others: [plain, plain, plain, plain] })) made.push(image)
  return made
}
