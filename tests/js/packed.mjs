// Rows as the kernel packs them (packing.py), for the tests.

const DIRECTIONS = ["client", "server", "local"];

/** [DataView, strings] of rows given as objects; what a row does not say is 0 or empty. */
export function packed(rows) {
  const names = { types: [], items: [], responses: [] };
  const code = (kind, name) => {
    const at = names[kind].indexOf(name);
    return at >= 0 ? at : names[kind].push(name) - 1;
  };
  const columns = [
    [Float64Array, (row) => row.time ?? 0],
    [Uint32Array, (row) => row.seq ?? 0],
    [Uint32Array, (row) => row.size ?? 0],
    [Uint32Array, (row) => row.audio ?? 0],
    [Uint16Array, (row) => code("types", row.type)],
    [Uint16Array, (row) => code("items", row.item ?? "")],
    [Uint16Array, (row) => code("responses", row.response ?? "")],
    [Uint8Array, (row) => DIRECTIONS.indexOf(row.direction ?? "server")],
  ].map(([Type, of]) => new Uint8Array(Type.from(rows, of).buffer));
  const all = new Uint8Array(columns.reduce((sum, column) => sum + column.length, 0));
  columns.reduce((at, column) => (all.set(column, at), at + column.length), 0);
  const family = (type) => rows.find((row) => row.type === type).family ?? "text";
  const types = names.types.map((type) => [type, family(type)]);
  return [new DataView(all.buffer), { ...names, types, words: rows.map((row) => row.words ?? "") }];
}
