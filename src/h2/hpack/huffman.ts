import { EOS, huffmanCodes } from "./huffman-code.ts";

/** The most bytes that `length` bytes of Huffman code can stand for: the shortest code has five bits (RFC 7541 appendix B). */
export function maxDecodedLength(length: number): number {
  return Math.floor((length * 8) / 5);
}

/**
 * Decodes a Huffman-coded string (RFC 7541 §5.2) into `target`, which has room for `maxDecodedLength`, and returns how
 * many bytes it became, or -1 where it is none: EOS inside, or an end that is not less than a byte of EOS's first bits.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    let step = STEPS[(state << 4) | (byte >>> 4)] as number;
    if (step & EMITS) target[length++] = (step >>> SYMBOL_SHIFT) & 0xff;
    step = STEPS[((step & STATE_MASK) << 4) | (byte & 0xf)] as number;
    if (step & EMITS) target[length++] = (step >>> SYMBOL_SHIFT) & 0xff;
    state = step & STATE_MASK;
  }
  return MAY_END[state] === 1 ? length : -1;
}

/*
 * One step goes from an inner node of the code's tree over four bits to another. It holds nine bits of the node it comes
 * to, eight of the symbol that was completed on the way, and one that says whether there is one: the shortest code has
 * five bits, so there is one at most. What is not in the code leads to FAILED, which nothing leaves.
 */
const STATE_MASK = 0x1ff;
const SYMBOL_SHIFT = 9;
const EMITS = 1 << 17;
/** The tree has 256 inner nodes, numbered from the root, 0. */
const FAILED = 256;
/** Padding is the beginning of EOS, ones only, and shorter than a byte. */
const MAX_PADDING_BITS = 7;

/** An inner node: where a 0 and a 1 lead to. */
type Node = [Node | number | undefined, Node | number | undefined];

const { steps: STEPS, mayEnd: MAY_END } = buildTables(buildTree());

function buildTree(): Node {
  const root: Node = [undefined, undefined];
  for (const { symbol, length, bits } of huffmanCodes()) {
    let node = root;
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (bits >>> bit) & 1;
      const child = node[side] ?? [undefined, undefined];
      if (typeof child === "number") throw new Error("the Huffman code is not a prefix code");
      node[side] = child;
      node = child;
    }
    node[bits & 1] = symbol;
  }
  return root;
}

function buildTables(root: Node): { steps: Uint32Array; mayEnd: Uint8Array } {
  const nodes: Node[] = [root];
  for (const node of nodes) for (const child of node) if (typeof child === "object") nodes.push(child);
  const numbers = new Map(nodes.map((node, index) => [node, index]));
  const steps = new Uint32Array((FAILED + 1) << 4).fill(FAILED);
  for (const [node, number] of numbers) {
    for (let nibble = 0; nibble < 16; nibble++) steps[(number << 4) | nibble] = stepOf(root, node, nibble, numbers);
  }
  return { steps, mayEnd: endings(root, numbers) };
}

function stepOf(root: Node, from: Node, nibble: number, numbers: ReadonlyMap<Node, number>): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = node[(nibble >>> bit) & 1];
    if (next === undefined || next === EOS) return FAILED;
    if (typeof next === "number") emitted = EMITS | (next << SYMBOL_SHIFT);
    node = typeof next === "number" ? root : next;
  }
  return emitted | (numbers.get(node) as number);
}

function endings(root: Node, numbers: ReadonlyMap<Node, number>): Uint8Array {
  const mayEnd = new Uint8Array(FAILED + 1);
  let node: Node | number | undefined = root;
  for (let bits = 0; bits <= MAX_PADDING_BITS && typeof node === "object"; bits++) {
    mayEnd[numbers.get(node) as number] = 1;
    node = node[1];
  }
  return mayEnd;
}
