// What a phone makes of its screen, kept as it is or sent on.

import { edit } from '../generate.mjs'
import { jpegOf, pipeline, throughMessenger } from '../picture.mjs'
import { chat } from './chat.mjs'
import { cutByHand, gallery } from './gallery.mjs'
import { story } from './story.mjs'

const SAVED = 92 // quality of the JPEG
const SENT = 60

export const screenshots = [
  saved('ss_story_blur', ({ photo, random }) => story(photo, random, 'blur')),
  saved('ss_story_solid', ({ photo, random }) => story(photo, random, 'solid')),
  saved('ss_story_cover', ({ photo, random }) => story(photo, random, 'cover')),
  saved('ss_chat', ({ photo, random }) => chat(photo, random)),
  saved('ss_gallery', galleryScreen, { usesOthers: true }),
  sent('ss_story_blur_tg', ({ photo, random }) => story(photo, random, 'blur')),
  sent('ss_chat_tg', ({ photo, random }) => chat(photo, random)),
  sent('ss_gallery_tg', galleryScreen, { usesOthers: true }),
  edit(
    'ss_gallery_handcrop',
    'screenshot',
    async ({ photo, random, others }) => jpegOf(await cutByHand(photo, random, others), 70),
    {
      usesOthers: true,
    },
  ),
]

async function galleryScreen({ photo, random, others }) {
  return (await gallery(photo, random, others)).screen
}

function saved(id, draw, options) {
  return edit(id, 'screenshot', async (given) => jpegOf(pipeline(await draw(given)), SAVED), options)
}

function sent(id, draw, options) {
  return edit(id, 'screenshot', async (given) => jpegOf(pipeline(await throughMessenger(await draw(given))), SENT), options)
}
