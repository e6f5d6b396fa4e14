// More than twenty layouts in which sites, apps and people show a picture again. Frame removal was not tuned on any of them. Do not look at them to
// choose a constant: the figures would then say nothing about new layouts.

import { catalogueOf, edit, variantsOf } from './generate.mjs'
import { jpegOf, pipeline, throughMessenger } from './picture.mjs'
import { channelPost, desktopChat, storyReply, wallpaperChat } from './unseen/chats.mjs'
import { phoneOnDesk, screenshotTwice } from './unseen/nested.mjs'
import { article, boardThread, newsCard, videoPage } from './unseen/pages.mjs'
import { forumPost, friendsFeed, photoFeed, shortMessage } from './unseen/posts.mjs'
import { clip, galleryAcross, macro, profileGrid, shadeOver, snap } from './unseen/viewers.mjs'

const SAVED = 92 // quality of a JPEG that a phone makes of its screen
const SENT = 60

const edits = [
  saved('un_message_light', (photo, random) => shortMessage(photo, random, 'light')),
  saved('un_message_dark', (photo, random) => shortMessage(photo, random, 'dark')),
  saved('un_friends_feed', friendsFeed),
  saved('un_forum_post', forumPost),
  saved('un_photo_feed', photoFeed),
  sent('un_photo_feed_sent', photoFeed),
  saved('un_article', article),
  saved('un_news_card', newsCard),
  saved('un_board_thread', boardThread),
  saved('un_video_page', videoPage),
  saved('un_wallpaper_chat', wallpaperChat),
  sent('un_wallpaper_chat_sent', wallpaperChat),
  sent('un_channel_post_sent', channelPost),
  saved('un_story_reply', storyReply),
  saved('un_desktop_chat', desktopChat),
  saved('un_clip', clip),
  saved('un_gallery_across', galleryAcross),
  saved('un_shade_over', shadeOver),
  saved('un_snap', snap),
  saved('un_macro', macro, 75),
  saved('un_profile_grid', profileGrid, SAVED, { usesOthers: true }),
  saved('un_phone_on_desk', phoneOnDesk, 80),
  saved('un_screenshot_twice', screenshotTwice),
]

export const CATALOG = catalogueOf(edits)

export const variants = variantsOf(edits)

function saved(id, draw, quality = SAVED, options = {}) {
  const make = async ({ photo, random, others }) => jpegOf(pipeline(await draw(photo, random, others)), quality)
  return edit(id, 'unseen', make, options)
}

/** Kept on the phone, then sent through a messenger, which makes it small and coarse twice. */
function sent(id, draw) {
  const make = async ({ photo, random }) => jpegOf(pipeline(await throughMessenger(await draw(photo, random))), SENT)
  return edit(id, 'unseen', make)
}
