// Overlays on pictures.

const FONT = 'font-family="DejaVu Sans, Noto Sans, Arial, sans-serif"'

export function svg(width, height, body) {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`,
  )
}

export function text(x, y, size, fill, words, extra = '') {
  return `<text x="${x}" y="${y}" font-size="${size}" ${FONT} fill="${fill}" ${extra}>${words}</text>`
}

export function smiley(cx, cy, r) {
  const eye = (x) => `<ellipse cx="${x}" cy="${cy - r * 0.2}" rx="${r * 0.12}" ry="${r * 0.2}" fill="#5b3a00"/>`
  const face = `<circle cx="${cx}" cy="${cy}" r="${r}" fill="#ffcc33" stroke="#e0a800" stroke-width="${r * 0.05}"/>`
  const mouth = `M ${cx - r * 0.55} ${cy + r * 0.2} Q ${cx} ${cy + r * 0.95} ${cx + r * 0.55} ${cy + r * 0.2} Z`
  return `${face}${eye(cx - r * 0.35)}${eye(cx + r * 0.35)}<path d="${mouth}" fill="#7a2b00"/>`
}

export function heart(cx, cy, r) {
  const start = `${cx} ${cy + r * 0.9}`
  const left = `C ${cx - r * 1.7} ${cy - r * 0.3}, ${cx - r * 0.7} ${cy - r * 1.3}, ${cx} ${cy - r * 0.4}`
  const right = `C ${cx + r * 0.7} ${cy - r * 1.3}, ${cx + r * 1.7} ${cy - r * 0.3}, ${start} Z`
  return `<path d="M ${start} ${left} ${right}" fill="#e0245e"/>`
}
