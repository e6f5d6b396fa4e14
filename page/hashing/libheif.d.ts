// An operator may install without libheif: then these modules are missing, and the page is built without worker-heif.ts.

declare module 'libheif-js/libheif-wasm/libheif.js' {
  import type { LibHeifFactory } from '../../src/domain/media/heif/libheif-instance.js'

  const factory: LibHeifFactory

  export = factory
}

declare module 'libheif-js/libheif-wasm/libheif.wasm' {
  const bytes: Uint8Array<ArrayBuffer>

  export = bytes
}
