// HMA's ratios are floats, and so is 1: strict clients refuse the `1` that JSON of JavaScript has for it.

const WHOLE_RATIO = /"((?:matching_)?enabled_ratio)":([01])(?=[,}])/g

/** In a text, quotes have a backslash before them: names in it are left as they are. */
export function withFloats(json: string): string {
  return json.replace(WHOLE_RATIO, '"$1":$2.0')
}
