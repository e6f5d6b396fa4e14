// What the name of a file says about it. Not every browser knows the type of each, and a ZIP file says none.

const PICTURE_NAME = /\.(jpe?g|jpe|jfif|png|webp|gif|avif|hei[cf]|hif|tiff?|bmp|jxl)$/i
const VIDEO_NAME = /\.(mp4|m4v|mov|webm|mkv|3gp)$/i

export function isVideoName(name: string): boolean {
  return VIDEO_NAME.test(name)
}

export function isMediaName(name: string): boolean {
  return PICTURE_NAME.test(name) || isVideoName(name)
}
