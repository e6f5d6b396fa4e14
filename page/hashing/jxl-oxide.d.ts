// What esbuild makes of the import. The types of the package are those of an instance.

declare module 'jxl-oxide-wasm/module.wasm' {
  const bytes: Uint8Array<ArrayBuffer>

  export = bytes
}
