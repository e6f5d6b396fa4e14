// The edits that make confusing pictures: those that leave much of an app, a frame, text or stickers in the picture.

/** None of them shows other photographs. */
export const KINDS = [
  'emoji_5,emoji_10,emoji_20,caption_top,caption_bottom,meme_frame,bars_9x16,border_white_10',
  'ss_story_blur,ss_story_solid,ss_story_cover,ss_chat,ss_chat_tg,screen_photo_bezel,combo_repost',
  'un_message_light,un_message_dark,un_friends_feed,un_forum_post,un_photo_feed,un_article,un_news_card,un_board_thread',
  'un_video_page,un_wallpaper_chat,un_channel_post_sent,un_story_reply,un_desktop_chat,un_clip,un_gallery_across,un_shade_over',
  'un_snap,un_macro,un_phone_on_desk',
].flatMap((names) => names.split(','))
