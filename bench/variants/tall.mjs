// Pictures that fill a tall phone, for choosing how full-screen stories are found. Not for reporting.

import { catalogueOf, edit, variantsOf } from './generate.mjs'
import { jpegOf, pipeline } from './picture.mjs'
import { fullStory, notified, reel, status, zoomed } from './tall/screens.mjs'

const SAVED = 90

const edits = [
  saved('tall_story', fullStory),
  saved('tall_reel', reel),
  saved('tall_status', status),
  saved('tall_zoomed', zoomed),
  saved('tall_notified', notified),
]

export const CATALOG = catalogueOf(edits)

export const variants = variantsOf(edits)

function saved(id, draw) {
  return edit(id, 'tall', async ({ photo, random }) => jpegOf(pipeline(await draw(photo, random)), SAVED))
}
