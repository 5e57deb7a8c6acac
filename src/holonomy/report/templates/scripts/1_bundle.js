// The data of the page: a header and columns of numbers, packed in binary (see packing.py).

const byId = (id) => document.getElementById(id);

async function unpack(text) {
  const raw = atob(text.trim());
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(inflated).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { header, read: reader(buffer, 4 + length, header.columns) };
}

const KINDS = { u1: Uint8Array, u2: Uint16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

function reader(buffer, start, entries) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, decoded(buffer, start, entries[name]));
    return known.get(name);
  };
}

function decoded(buffer, start, entry) {
  const Kind = KINDS[entry.kind];
  const size = Kind.BYTES_PER_ELEMENT, { length } = entry;
  const planes = new Uint8Array(buffer, start + entry.offset, length * size);
  let codes = planes;
  if (size > 1) {
    const woven = new Uint8Array(length * size);
    for (let byte = 0; byte < size; byte++) {
      for (let i = 0, from = byte * length; i < length; i++) woven[i * size + byte] = planes[from + i];
    }
    codes = new Kind(woven.buffer);
  }
  if (entry.step === undefined) return codes;
  const missing = 2 ** (8 * size) - 1;
  return Float32Array.from(codes, (code) => (code === missing ? NaN : entry.low + entry.step * code));
}
