// All groups, in the order of the report.

import { avatars } from './avatars.mjs'
import { cards } from './cards.mjs'
import { controls } from './controls.mjs'
import { documents } from './documents.mjs'
import { elements } from './elements.mjs'
import { masks } from './masks.mjs'
import { memes } from './memes.mjs'
import { products } from './products.mjs'
import { rooms } from './rooms.mjs'
import { templates } from './templates.mjs'

/**
 * `name`, and `draw({ photos, size, set, seed })` → `registered`; `asked`, if the queried pictures are others; and `copies` that must be found:
 * `{ original, copy }`. A picture has a `name`, its file's `bytes`, and an `origin` if another picture may show the same photograph: a match of the two
 * is not false.
 */
export const GROUPS = [masks, avatars, documents, elements, templates, memes, rooms, products, cards, controls].flat()
